"""Objects, and blocks of C that are lost: lines "lost ADDRESS SIZE" to descriptor 198. Then a core.

Under builds of CPython whose objects cannot be read, what is native must be found all the same."""

import ctypes
import os
import threading

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.malloc_usable_size.restype = ctypes.c_size_t
libc.malloc_usable_size.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

kept = [{i: str(i)} for i in range(20000)]
stop = threading.Event()
thread = threading.Thread(target=stop.wait)
thread.daemon = True
thread.start()
lost = []
for i in range(100):
    # Kept as a text, which holds no block.
    at = libc.malloc(4000)
    libc.memset(at, 0x11, 4000)
    lost.append("lost %d %d" % (at, libc.malloc_usable_size(at)))
    del at
os.write(198, ("\n".join(lost) + "\n").encode())
os.abort()
