"""The part of waiting_zoo.py that Python 2 cannot read: it is run in its namespace."""
import asyncio
import inspect

# Those in C and those in Python.
TASKS = (asyncio.Task, asyncio.tasks._PyTask)
FUTURES = (asyncio.Future, asyncio.futures._PyFuture)
STATES = {"CREATED": "created", "SUSPENDED": "suspended", "RUNNING": "running", "CLOSED": "ended"}


def delegating(n):
    yield "first"
    yield from plain(n)
    yield "last"


def deep(n):
    if n:
        yield from deep(n - 1)
    yield n


for n in range(30):
    g = delegating(3)
    for _ in range(n % 7):
        next(g, None)
    kept.append(g)
for n in range(5):
    g = deep(n)
    next(g)
    kept.append(g)


@types.coroutine
def bare():
    yield


async def sleeper(delay):
    await asyncio.sleep(delay)


async def on_future(future):
    return await future


async def nested(n, future):
    if n:
        return await nested(n - 1, future)
    return await on_future(future)


async def quick(n):
    return n


async def fails():
    raise ValueError("fails")


async def numbers():
    for i in range(10):
        yield i
        await asyncio.sleep(1000)
        yield -i


async def consumer():
    async for _ in numbers():
        pass


async def gatherer(future):
    await asyncio.gather(*[on_future(future) for _ in range(3)])


async def waits_for_task(task):
    await task


async def parked(payload):
    await asyncio.sleep(9000)
    return payload


class Mine(asyncio.Task):
    pass


def tell_all():
    """By the interpreter's own words, once nothing changes any more."""
    for o in gc.get_objects():
        if isinstance(o, types.GeneratorType):
            tell_generator(o)
        elif isinstance(o, types.CoroutineType):
            frame = o.cr_frame
            tell("coroutine", o, STATES[inspect.getcoroutinestate(o)[5:]],
                 frame.f_lineno if frame else o.cr_code.co_firstlineno, o.cr_await, None,
                 o.__qualname__, o.cr_code.co_filename)
        elif isinstance(o, types.AsyncGeneratorType):
            frame = o.ag_frame
            state = ("ended" if frame is None else "running" if o.ag_running and o.ag_await is None
                     else "created" if o in fresh or frame.f_lasti < 0 else "suspended")
            tell("async generator", o, state,
                 frame.f_lineno if frame else o.ag_code.co_firstlineno, o.ag_await, None,
                 o.__qualname__, o.ag_code.co_filename)
        elif isinstance(o, FUTURES):
            state = "cancelled" if o.cancelled() else "done" if o.done() else "pending"
            if isinstance(o, TASKS):
                coro = o._coro if hasattr(o, "_coro") else o.get_coro()
                waiter = o._fut_waiter
                tell("task", o, state, "-", coro, waiter)
            else:
                tell("future", o, state)


fresh = []


async def main(loop):
    future = loop.create_future()
    done = loop.create_future()
    done.set_result(17)
    cancelled = loop.create_future()
    cancelled.cancel()
    kept.extend([future, done, cancelled])
    make = loop.create_task
    tasks = [make(sleeper(1000 + n)) for n in range(40)]
    tasks += [make(on_future(future)) for _ in range(10)]
    tasks += [make(nested(n, future)) for n in range(6)]
    tasks += [make(consumer()) for _ in range(3)]
    tasks += [make(gatherer(future)) for _ in range(2)]
    tasks += [make(quick(n)) for n in range(15)]
    tasks += [make(fails()) for n in range(4)]
    tasks += [Mine(sleeper(5000), loop=loop) for _ in range(4)]
    tasks += [make(parked(bytes(2000 + n))) for n in range(1100)]
    tasks += [make(waits_for_task(tasks[0]))]
    to_cancel = [make(sleeper(3000)) for _ in range(5)]
    kept.extend(tasks + to_cancel)
    await asyncio.sleep(0.05)
    for task in to_cancel:
        task.cancel()
    await asyncio.sleep(0.05)
    kept.extend(make(quick(n)) for n in range(3))  # never begun
    never = [quick(n) for n in range(7)]
    kept.extend(never)
    fresh.extend(numbers() for _ in range(4))
    kept.extend(fresh)
    gc.collect()
    tell_all()
    frame = sys._getframe()
    while frame:
        tell("frame", frame, "-", frame.f_lineno, None, None, frame.f_code.co_name,
             frame.f_code.co_filename)
        frame = frame.f_back
    truth.close()
    os.abort()


def die():
    if "python" in sys.argv[1:]:
        asyncio.Task = asyncio.tasks.Task = asyncio.tasks._PyTask
        asyncio.Future = asyncio.futures.Future = asyncio.futures._PyFuture
        asyncio.tasks._current_task = getattr(asyncio.tasks, "_py_current_task", None)
        for name in ("_register_task", "_unregister_task", "_enter_task", "_leave_task"):
            if hasattr(asyncio.tasks, "_py" + name):
                setattr(asyncio.tasks, name, getattr(asyncio.tasks, "_py" + name))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main(loop))
