/* CPython 3.6: fields of builtin and standard types, by its DWARF: scripts/slots. */
#include "layout/cpython_impl.h"

const struct cpython_slot cpython_slots_3_6[] = {
	/* PyBaseExceptionObject */
	{"BaseException", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"BaseException", ".args", 24, CPYTHON_SLOT_OWNING},
	{"BaseException", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"BaseException", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"BaseException", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	/* PyEnvironmentErrorObject */
	{"EnvironmentError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".errno", 64, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".strerror", 72, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".filename", 80, CPYTHON_SLOT_OWNING},
	/* PyImportErrorObject */
	{"ImportError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"ImportError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"ImportError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"ImportError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"ImportError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"ImportError", ".msg", 64, CPYTHON_SLOT_OWNING},
	{"ImportError", ".name", 72, CPYTHON_SLOT_OWNING},
	{"ImportError", ".path", 80, CPYTHON_SLOT_OWNING},
	/* PyOSErrorObject */
	{"OSError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"OSError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"OSError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"OSError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"OSError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"OSError", ".errno", 64, CPYTHON_SLOT_OWNING},
	{"OSError", ".strerror", 72, CPYTHON_SLOT_OWNING},
	{"OSError", ".filename", 80, CPYTHON_SLOT_OWNING},
	{"OSError", ".filename2", 88, CPYTHON_SLOT_OWNING},
	/* MatchObject */
	{"SRE_Match", ".string", 24, CPYTHON_SLOT_OWNING},
	{"SRE_Match", ".regs", 32, CPYTHON_SLOT_OWNING},
	{"SRE_Match", ".re", 40, CPYTHON_SLOT_OWNING},
	/* PatternObject */
	{"SRE_Pattern", ".groupindex", 32, CPYTHON_SLOT_OWNING},
	{"SRE_Pattern", ".<groups>", 40, CPYTHON_SLOT_OWNING},
	{"SRE_Pattern", ".pattern", 48, CPYTHON_SLOT_OWNING},
	/* StgDictObject */
	{"StgDict", ".<argtypes>", 128, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<converters>", 136, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<restype>", 144, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<checker>", 152, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<format>", 168, CPYTHON_SLOT_BUFFER},
	{"StgDict", ".<shape>", 184, CPYTHON_SLOT_BUFFER},
	/* PyStopIterationObject */
	{"StopIteration", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"StopIteration", ".args", 24, CPYTHON_SLOT_OWNING},
	{"StopIteration", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"StopIteration", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"StopIteration", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"StopIteration", ".value", 64, CPYTHON_SLOT_OWNING},
	/* PyStructObject */
	{"Struct", ".format", 40, CPYTHON_SLOT_OWNING},
	/* PySyntaxErrorObject */
	{"SyntaxError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".msg", 64, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".filename", 72, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".lineno", 80, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".offset", 88, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".text", 96, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".print_file_and_line", 104, CPYTHON_SLOT_OWNING},
	/* PySystemExitObject */
	{"SystemExit", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".args", 24, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".code", 64, CPYTHON_SLOT_OWNING},
	/* TaskStepMethWrapper */
	{"TaskStepMethWrapper", ".<task>", 16, CPYTHON_SLOT_OWNING},
	{"TaskStepMethWrapper", ".<arg>", 24, CPYTHON_SLOT_OWNING},
	/* TaskWakeupMethWrapper */
	{"TaskWakeupMethWrapper", ".<task>", 16, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeDecodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".encoding", 64, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".object", 72, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".reason", 96, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeEncodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".encoding", 64, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".object", 72, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".reason", 96, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".encoding", 64, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".object", 72, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".reason", 96, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeTranslateError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".__traceback__", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".__context__", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".__cause__", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".encoding", 64, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".object", 72, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".reason", 96, CPYTHON_SLOT_OWNING},
	/* FutureObj */
	{"_asyncio.Future", "._loop", 16, CPYTHON_SLOT_OWNING},
	{"_asyncio.Future", "._callbacks", 24, CPYTHON_SLOT_OWNING},
	{"_asyncio.Future", "._exception", 32, CPYTHON_SLOT_OWNING},
	{"_asyncio.Future", "._result", 40, CPYTHON_SLOT_OWNING},
	{"_asyncio.Future", "._source_traceback", 48, CPYTHON_SLOT_OWNING},
	{"_asyncio.Future", ".__dict__", 72, CPYTHON_SLOT_OWNING},
	/* futureiterobject */
	{"_asyncio.FutureIter", ".<future>", 16, CPYTHON_SLOT_OWNING},
	/* FutureObj */
	{"_asyncio.Task", "._loop", 16, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._callbacks", 24, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._exception", 32, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._result", 40, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._source_traceback", 48, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", ".__dict__", 72, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._fut_waiter", 88, CPYTHON_SLOT_OWNING},
	{"_asyncio.Task", "._coro", 96, CPYTHON_SLOT_OWNING},
	/* TaskStepMethWrapper */
	{"_asyncio.TaskStepMethWrapper", ".<task>", 16, CPYTHON_SLOT_OWNING},
	{"_asyncio.TaskStepMethWrapper", ".<arg>", 24, CPYTHON_SLOT_OWNING},
	/* TaskWakeupMethWrapper */
	{"_asyncio.TaskWakeupMethWrapper", ".<task>", 16, CPYTHON_SLOT_OWNING},
	/* _PyManagedBufferObject */
	{"_buffer.managedbuffer", ".obj", 40, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"_collections._deque_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"_collections._deque_reverse_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* DialectObj */
	{"_csv.Dialect", ".lineterminator", 40, CPYTHON_SLOT_OWNING},
	/* ReaderObj */
	{"_csv.reader", ".<input>", 16, CPYTHON_SLOT_OWNING},
	{"_csv.reader", ".dialect", 24, CPYTHON_SLOT_OWNING},
	{"_csv.reader", ".<fields>", 32, CPYTHON_SLOT_OWNING},
	/* WriterObj */
	{"_csv.writer", ".<write>", 16, CPYTHON_SLOT_OWNING},
	{"_csv.writer", ".dialect", 24, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes.Array", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes.Array", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* CFieldObject */
	{"_ctypes.CField", ".<proto>", 40, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes.CFuncPtr", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", "._objects", 64, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".<thunk>", 96, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".<callable>", 104, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".<converters>", 112, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".argtypes", 120, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".restype", 128, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".<checker>", 136, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".errcheck", 144, CPYTHON_SLOT_OWNING},
	{"_ctypes.CFuncPtr", ".<paramflags>", 152, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes.PyCFuncPtr", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", "._objects", 64, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".<thunk>", 96, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".<callable>", 104, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".<converters>", 112, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".argtypes", 120, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".restype", 128, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".<checker>", 136, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".errcheck", 144, CPYTHON_SLOT_OWNING},
	{"_ctypes.PyCFuncPtr", ".<paramflags>", 152, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes.Structure", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes.Structure", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes.Union", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes.Union", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes._CData", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes._CData", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes._Pointer", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes._Pointer", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* CDataObject */
	{"_ctypes._SimpleCData", "._b_base_", 32, CPYTHON_SLOT_OWNING},
	{"_ctypes._SimpleCData", "._objects", 64, CPYTHON_SLOT_OWNING},
	/* XMLParserObject */
	{"_elementtree.XMLParser", ".target", 24, CPYTHON_SLOT_OWNING},
	{"_elementtree.XMLParser", ".entity", 32, CPYTHON_SLOT_OWNING},
	/* rwpair */
	{"_io.BufferedRWPair", ".<reader>", 16, CPYTHON_SLOT_UNSEEN},
	{"_io.BufferedRWPair", ".<writer>", 24, CPYTHON_SLOT_UNSEEN},
	{"_io.BufferedRWPair", ".__dict__", 32, CPYTHON_SLOT_OWNING},
	/* buffered */
	{"_io.BufferedRandom", ".raw", 16, CPYTHON_SLOT_OWNING},
	{"_io.BufferedRandom", ".<buffer>", 56, CPYTHON_SLOT_BUFFER},
	{"_io.BufferedRandom", ".__dict__", 136, CPYTHON_SLOT_OWNING},
	/* buffered */
	{"_io.BufferedReader", ".raw", 16, CPYTHON_SLOT_OWNING},
	{"_io.BufferedReader", ".<buffer>", 56, CPYTHON_SLOT_BUFFER},
	{"_io.BufferedReader", ".__dict__", 136, CPYTHON_SLOT_OWNING},
	/* buffered */
	{"_io.BufferedWriter", ".raw", 16, CPYTHON_SLOT_OWNING},
	{"_io.BufferedWriter", ".<buffer>", 56, CPYTHON_SLOT_BUFFER},
	{"_io.BufferedWriter", ".__dict__", 136, CPYTHON_SLOT_OWNING},
	/* bytesio */
	{"_io.BytesIO", ".<buffer>", 16, CPYTHON_SLOT_UNSEEN},
	{"_io.BytesIO", ".__dict__", 40, CPYTHON_SLOT_OWNING},
	/* fileio */
	{"_io.FileIO", ".__dict__", 40, CPYTHON_SLOT_OWNING},
	/* nldecoder_object */
	{"_io.IncrementalNewlineDecoder", ".<decoder>", 16, CPYTHON_SLOT_OWNING},
	{"_io.IncrementalNewlineDecoder", ".errors", 24, CPYTHON_SLOT_OWNING},
	/* stringio */
	{"_io.StringIO", ".<characters>", 16, CPYTHON_SLOT_BUFFER},
	{"_io.StringIO", ".<large>", 56, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<small>", 64, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<decoder>", 80, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<readnl>", 88, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<writenl>", 96, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".__dict__", 104, CPYTHON_SLOT_OWNING},
	/* textio */
	{"_io.TextIOWrapper", ".buffer", 32, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<encoder>", 48, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<decoder>", 56, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<readnl>", 64, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".errors", 72, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<writenl>", 80, CPYTHON_SLOT_WEAK},
	{"_io.TextIOWrapper", ".<decoded>", 120, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<pending>", 136, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<snapshot>", 152, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<raw>", 168, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".__dict__", 184, CPYTHON_SLOT_OWNING},
	/* bytesiobuf */
	{"_io._BytesIOBuffer", ".<source>", 16, CPYTHON_SLOT_OWNING},
	/* PyEncoderObject */
	{"_json.Encoder", ".markers", 16, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".default", 24, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".encoder", 32, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".indent", 40, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".key_separator", 48, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".item_separator", 56, CPYTHON_SLOT_OWNING},
	/* PyScannerObject */
	{"_json.Scanner", ".strict", 16, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".object_hook", 24, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".object_pairs_hook", 32, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_float", 40, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_int", 48, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_constant", 56, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".<memo>", 64, CPYTHON_SLOT_UNSEEN},
	/* MatchObject */
	{"_sre.SRE_Match", ".string", 24, CPYTHON_SLOT_OWNING},
	{"_sre.SRE_Match", ".regs", 32, CPYTHON_SLOT_OWNING},
	{"_sre.SRE_Match", ".re", 40, CPYTHON_SLOT_OWNING},
	/* PatternObject */
	{"_sre.SRE_Pattern", ".groupindex", 32, CPYTHON_SLOT_OWNING},
	{"_sre.SRE_Pattern", ".<groups>", 40, CPYTHON_SLOT_OWNING},
	{"_sre.SRE_Pattern", ".pattern", 48, CPYTHON_SLOT_OWNING},
	/* ScannerObject */
	{"_sre.SRE_Scanner", ".pattern", 16, CPYTHON_SLOT_OWNING},
	{"_sre.SRE_Scanner", ".<string>", 56, CPYTHON_SLOT_UNSEEN},
	/* PyStructObject */
	{"_struct.Struct", ".format", 40, CPYTHON_SLOT_OWNING},
	/* rlockobject */
	{"_thread.RLock", ".<lock>", 16, CPYTHON_SLOT_BUFFER},
	/* localobject */
	{"_thread._local", ".<key>", 16, CPYTHON_SLOT_UNSEEN},
	{"_thread._local", ".<args>", 24, CPYTHON_SLOT_OWNING},
	{"_thread._local", ".<kw>", 32, CPYTHON_SLOT_OWNING},
	{"_thread._local", ".<dummies>", 48, CPYTHON_SLOT_OWNING},
	{"_thread._local", ".<wr_callback>", 56, CPYTHON_SLOT_UNSEEN},
	/* localdummyobject */
	{"_thread._localdummy", ".<dict>", 16, CPYTHON_SLOT_WEAK},
	/* lockobject */
	{"_thread.lock", ".<lock>", 16, CPYTHON_SLOT_BUFFER},
	/* arrayobject */
	{"array.array", ".<items>", 24, CPYTHON_SLOT_BUFFER},
	/* arrayiterobject */
	{"array.arrayiterator", ".<array>", 24, CPYTHON_SLOT_OWNING},
	/* arrayiterobject */
	{"arrayiterator", ".<array>", 24, CPYTHON_SLOT_OWNING},
	/* PyGenObject */
	{"async_generator", ".gi_frame", 16, CPYTHON_SLOT_OWNING},
	{"async_generator", ".gi_code", 32, CPYTHON_SLOT_OWNING},
	{"async_generator", ".__name__", 48, CPYTHON_SLOT_OWNING},
	{"async_generator", ".__qualname__", 56, CPYTHON_SLOT_OWNING},
	{"async_generator", ".<finalizer>", 64, CPYTHON_SLOT_OWNING},
	/* PyAsyncGenASend */
	{"async_generator_asend", ".<generator>", 16, CPYTHON_SLOT_OWNING},
	{"async_generator_asend", ".<value>", 24, CPYTHON_SLOT_OWNING},
	/* PyAsyncGenAThrow */
	{"async_generator_athrow", ".<generator>", 16, CPYTHON_SLOT_OWNING},
	{"async_generator_athrow", ".<args>", 24, CPYTHON_SLOT_OWNING},
	/* _PyAsyncGenWrappedValue */
	{"async_generator_wrapped_value", ".<value>", 16, CPYTHON_SLOT_OWNING},
	/* PyCFunctionObject */
	{"builtin_function_or_method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	{"builtin_function_or_method", ".__module__", 32, CPYTHON_SLOT_OWNING},
	/* PyCFunctionObject */
	{"builtin_method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	{"builtin_method", ".__module__", 32, CPYTHON_SLOT_OWNING},
	/* bytesiterobject */
	{"bytearray_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* striterobject */
	{"bytes_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* calliterobject */
	{"callable-iterator", ".<callable>", 16, CPYTHON_SLOT_OWNING},
	{"callable-iterator", ".<sentinel>", 24, CPYTHON_SLOT_OWNING},
	/* calliterobject */
	{"callable_iterator", ".<callable>", 16, CPYTHON_SLOT_OWNING},
	{"callable_iterator", ".<sentinel>", 24, CPYTHON_SLOT_OWNING},
	/* PyCellObject */
	{"cell", ".cell_contents", 16, CPYTHON_SLOT_OWNING},
	/* classmethod */
	{"classmethod", ".__func__", 16, CPYTHON_SLOT_OWNING},
	{"classmethod", ".__dict__", 24, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"classmethod_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"classmethod_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	{"classmethod_descriptor", ".__qualname__", 32, CPYTHON_SLOT_UNSEEN},
	/* PyCodeObject */
	{"code", ".co_code", 40, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_consts", 48, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_names", 56, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_varnames", 64, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_freevars", 72, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_cellvars", 80, CPYTHON_SLOT_UNSEEN},
	{"code", ".<cell2arg>", 88, CPYTHON_SLOT_BUFFER},
	{"code", ".co_filename", 96, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_name", 104, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_lnotab", 112, CPYTHON_SLOT_UNSEEN},
	{"code", ".<frame>", 120, CPYTHON_SLOT_BUFFER},
	{"code", ".<weakrefs>", 128, CPYTHON_SLOT_WEAK},
	/* PyODictObject */
	{"collections.OrderedDict", ".<nodes>", 64, CPYTHON_SLOT_BUFFER},
	{"collections.OrderedDict", ".__dict__", 96, CPYTHON_SLOT_OWNING},
	/* defdictobject */
	{"collections.defaultdict", ".default_factory", 48, CPYTHON_SLOT_OWNING},
	/* PyGenObject */
	{"coroutine", ".gi_frame", 16, CPYTHON_SLOT_OWNING},
	{"coroutine", ".gi_code", 32, CPYTHON_SLOT_OWNING},
	{"coroutine", ".__name__", 48, CPYTHON_SLOT_OWNING},
	{"coroutine", ".__qualname__", 56, CPYTHON_SLOT_OWNING},
	/* PyCoroWrapper */
	{"coroutine_wrapper", ".<coroutine>", 16, CPYTHON_SLOT_OWNING},
	/* PyDateTime_DateTime */
	{"datetime.datetime", ".tzinfo", 40, CPYTHON_SLOT_OWNING},
	/* PyDateTime_Time */
	{"datetime.time", ".tzinfo", 32, CPYTHON_SLOT_OWNING},
	/* PyDateTime_TimeZone */
	{"datetime.timezone", ".<offset>", 16, CPYTHON_SLOT_OWNING},
	{"datetime.timezone", ".<name>", 24, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"deque_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"deque_reverse_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_itemiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_itemiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* _PyDictViewObject */
	{"dict_items", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_keyiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_keyiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* _PyDictViewObject */
	{"dict_keys", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_reverseitemiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_reverseitemiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_reversekeyiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_reversekeyiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_reversevalueiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_reversevalueiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_valueiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_valueiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* _PyDictViewObject */
	{"dict_values", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dictionary-itemiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dictionary-itemiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dictionary-keyiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dictionary-keyiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dictionary-valueiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dictionary-valueiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* enumobject */
	{"enumerate", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	{"enumerate", ".<result>", 32, CPYTHON_SLOT_OWNING},
	{"enumerate", ".<index>", 40, CPYTHON_SLOT_OWNING},
	/* filterobject */
	{"filter", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"filter", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* struct _frame */
	{"frame", ".f_back", 24, CPYTHON_SLOT_OWNING},
	{"frame", ".f_code", 32, CPYTHON_SLOT_OWNING},
	{"frame", ".f_builtins", 40, CPYTHON_SLOT_OWNING},
	{"frame", ".f_globals", 48, CPYTHON_SLOT_OWNING},
	{"frame", ".f_locals", 56, CPYTHON_SLOT_OWNING},
	{"frame", ".f_trace", 80, CPYTHON_SLOT_OWNING},
	{"frame", ".f_exc_type", 88, CPYTHON_SLOT_OWNING},
	{"frame", ".f_exc_value", 96, CPYTHON_SLOT_OWNING},
	{"frame", ".f_exc_traceback", 104, CPYTHON_SLOT_OWNING},
	/* PyFunctionObject */
	{"function", ".__code__", 16, CPYTHON_SLOT_OWNING},
	{"function", ".__globals__", 24, CPYTHON_SLOT_OWNING},
	{"function", ".__defaults__", 32, CPYTHON_SLOT_OWNING},
	{"function", ".__kwdefaults__", 40, CPYTHON_SLOT_OWNING},
	{"function", ".__closure__", 48, CPYTHON_SLOT_OWNING},
	{"function", ".__doc__", 56, CPYTHON_SLOT_OWNING},
	{"function", ".__name__", 64, CPYTHON_SLOT_OWNING},
	{"function", ".__dict__", 72, CPYTHON_SLOT_OWNING},
	{"function", ".__module__", 88, CPYTHON_SLOT_OWNING},
	{"function", ".__annotations__", 96, CPYTHON_SLOT_OWNING},
	{"function", ".__qualname__", 104, CPYTHON_SLOT_OWNING},
	/* keyobject */
	{"functools.KeyWrapper", ".<cmp>", 16, CPYTHON_SLOT_OWNING},
	{"functools.KeyWrapper", ".obj", 24, CPYTHON_SLOT_OWNING},
	/* lru_cache_object */
	{"functools._lru_cache_wrapper", ".<maxsize>", 64, CPYTHON_SLOT_OWNING},
	{"functools._lru_cache_wrapper", ".__wrapped__", 72, CPYTHON_SLOT_OWNING},
	{"functools._lru_cache_wrapper", ".<cache>", 88, CPYTHON_SLOT_OWNING},
	{"functools._lru_cache_wrapper", ".<cache_info>", 96, CPYTHON_SLOT_OWNING},
	{"functools._lru_cache_wrapper", ".__dict__", 128, CPYTHON_SLOT_OWNING},
	/* partialobject */
	{"functools.partial", ".func", 16, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".args", 24, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".keywords", 32, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".__dict__", 40, CPYTHON_SLOT_OWNING},
	/* PyGenObject */
	{"generator", ".gi_frame", 16, CPYTHON_SLOT_OWNING},
	{"generator", ".gi_code", 32, CPYTHON_SLOT_OWNING},
	{"generator", ".__name__", 48, CPYTHON_SLOT_OWNING},
	{"generator", ".__qualname__", 56, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"getset_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"getset_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	{"getset_descriptor", ".__qualname__", 32, CPYTHON_SLOT_UNSEEN},
	/* PyMethodObject */
	{"instancemethod", ".im_func", 16, CPYTHON_SLOT_OWNING},
	{"instancemethod", ".im_self", 24, CPYTHON_SLOT_OWNING},
	/* seqiterobject */
	{"iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* _grouperobject */
	{"itertools._grouper", ".<parent>", 16, CPYTHON_SLOT_OWNING},
	{"itertools._grouper", ".<target_key>", 24, CPYTHON_SLOT_OWNING},
	/* teeobject */
	{"itertools._tee", ".<data>", 16, CPYTHON_SLOT_OWNING},
	/* teedataobject */
	{"itertools._tee_dataobject", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	{"itertools._tee_dataobject", ".<next>", 32, CPYTHON_SLOT_OWNING},
	/* accumulateobject */
	{"itertools.accumulate", ".<total>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.accumulate", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	{"itertools.accumulate", ".<function>", 32, CPYTHON_SLOT_OWNING},
	/* chainobject */
	{"itertools.chain", ".<source>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.chain", ".<active>", 24, CPYTHON_SLOT_OWNING},
	/* combinationsobject */
	{"itertools.combinations", ".<pool>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.combinations", ".<result>", 32, CPYTHON_SLOT_OWNING},
	/* cwrobject */
	{"itertools.combinations_with_replacement", ".<pool>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.combinations_with_replacement", ".<result>", 32, CPYTHON_SLOT_OWNING},
	/* compressobject */
	{"itertools.compress", ".<data>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.compress", ".<selectors>", 24, CPYTHON_SLOT_OWNING},
	/* countobject */
	{"itertools.count", ".<count>", 24, CPYTHON_SLOT_OWNING},
	{"itertools.count", ".<step>", 32, CPYTHON_SLOT_OWNING},
	/* cycleobject */
	{"itertools.cycle", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.cycle", ".<saved>", 24, CPYTHON_SLOT_OWNING},
	/* dropwhileobject */
	{"itertools.dropwhile", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.dropwhile", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* filterfalseobject */
	{"itertools.filterfalse", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.filterfalse", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* groupbyobject */
	{"itertools.groupby", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<key>", 24, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<target_key>", 32, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<current_key>", 40, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<current_value>", 48, CPYTHON_SLOT_OWNING},
	/* filterfalseobject */
	{"itertools.ifilterfalse", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.ifilterfalse", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* isliceobject */
	{"itertools.islice", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	/* permutationsobject */
	{"itertools.permutations", ".<pool>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.permutations", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* productobject */
	{"itertools.product", ".<pools>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.product", ".<result>", 32, CPYTHON_SLOT_OWNING},
	/* repeatobject */
	{"itertools.repeat", ".<element>", 16, CPYTHON_SLOT_OWNING},
	/* starmapobject */
	{"itertools.starmap", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.starmap", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* takewhileobject */
	{"itertools.takewhile", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.takewhile", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* teeobject */
	{"itertools.tee", ".<data>", 16, CPYTHON_SLOT_OWNING},
	/* teedataobject */
	{"itertools.tee_dataobject", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.tee_dataobject", ".<next>", 32, CPYTHON_SLOT_OWNING},
	/* ziplongestobject */
	{"itertools.zip_longest", ".<iterators>", 32, CPYTHON_SLOT_OWNING},
	{"itertools.zip_longest", ".<result>", 40, CPYTHON_SLOT_OWNING},
	{"itertools.zip_longest", ".<fillvalue>", 48, CPYTHON_SLOT_OWNING},
	/* listiterobject */
	{"list_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listreviterobject */
	{"list_reverseiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listiterobject */
	{"listiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listreviterobject */
	{"listreverseiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* longrangeiterobject */
	{"longrange_iterator", ".<index>", 16, CPYTHON_SLOT_OWNING},
	{"longrange_iterator", ".<start>", 24, CPYTHON_SLOT_OWNING},
	{"longrange_iterator", ".<step>", 32, CPYTHON_SLOT_OWNING},
	{"longrange_iterator", ".<length>", 40, CPYTHON_SLOT_OWNING},
	/* _PyManagedBufferObject */
	{"managedbuffer", ".obj", 40, CPYTHON_SLOT_OWNING},
	/* mapobject */
	{"map", ".<iterators>", 16, CPYTHON_SLOT_OWNING},
	{"map", ".<function>", 24, CPYTHON_SLOT_OWNING},
	/* mappingproxyobject */
	{"mappingproxy", ".<mapping>", 16, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"member_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"member_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	{"member_descriptor", ".__qualname__", 32, CPYTHON_SLOT_UNSEEN},
	/* PyMemoryViewObject */
	{"memoryview", ".<buffer>", 24, CPYTHON_SLOT_OWNING},
	/* PyMethodObject */
	{"method", ".__func__", 16, CPYTHON_SLOT_OWNING},
	{"method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	/* wrapperobject */
	{"method-wrapper", ".<descriptor>", 16, CPYTHON_SLOT_OWNING},
	{"method-wrapper", ".__self__", 24, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"method_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"method_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	{"method_descriptor", ".__qualname__", 32, CPYTHON_SLOT_UNSEEN},
	/* PyModuleObject */
	{"module", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"module", ".<definition>", 24, CPYTHON_SLOT_WORD},
	{"module", ".<state>", 32, CPYTHON_SLOT_STATE},
	{"module", ".__name__", 48, CPYTHON_SLOT_UNSEEN},
	/* PyModuleDef */
	{"moduledef", ".<copy>", 32, CPYTHON_SLOT_UNSEEN},
	/* _PyDictViewObject */
	{"odict_items", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* odictiterobject */
	{"odict_iterator", ".<dict>", 24, CPYTHON_SLOT_OWNING},
	{"odict_iterator", ".<key>", 48, CPYTHON_SLOT_OWNING},
	{"odict_iterator", ".<result>", 56, CPYTHON_SLOT_OWNING},
	/* _PyDictViewObject */
	{"odict_keys", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* _PyDictViewObject */
	{"odict_values", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* attrgetterobject */
	{"operator.attrgetter", ".<attr>", 24, CPYTHON_SLOT_OWNING},
	/* itemgetterobject */
	{"operator.itemgetter", ".<item>", 24, CPYTHON_SLOT_OWNING},
	/* methodcallerobject */
	{"operator.methodcaller", ".<name>", 16, CPYTHON_SLOT_UNSEEN},
	{"operator.methodcaller", ".<args>", 24, CPYTHON_SLOT_OWNING},
	{"operator.methodcaller", ".<keywords>", 32, CPYTHON_SLOT_OWNING},
	/* DirEntry */
	{"posix.DirEntry", ".name", 16, CPYTHON_SLOT_OWNING},
	{"posix.DirEntry", ".path", 24, CPYTHON_SLOT_OWNING},
	{"posix.DirEntry", ".<stat>", 32, CPYTHON_SLOT_OWNING},
	{"posix.DirEntry", ".<lstat>", 40, CPYTHON_SLOT_OWNING},
	/* propertyobject */
	{"property", ".fget", 16, CPYTHON_SLOT_OWNING},
	{"property", ".fset", 24, CPYTHON_SLOT_OWNING},
	{"property", ".fdel", 32, CPYTHON_SLOT_OWNING},
	{"property", ".__doc__", 40, CPYTHON_SLOT_OWNING},
	/* rangeobject */
	{"range", ".start", 16, CPYTHON_SLOT_OWNING},
	{"range", ".stop", 24, CPYTHON_SLOT_OWNING},
	{"range", ".step", 32, CPYTHON_SLOT_OWNING},
	{"range", ".<length>", 40, CPYTHON_SLOT_OWNING},
	/* MatchObject */
	{"re.Match", ".string", 24, CPYTHON_SLOT_OWNING},
	{"re.Match", ".regs", 32, CPYTHON_SLOT_OWNING},
	{"re.Match", ".re", 40, CPYTHON_SLOT_OWNING},
	/* PatternObject */
	{"re.Pattern", ".groupindex", 32, CPYTHON_SLOT_OWNING},
	{"re.Pattern", ".<groups>", 40, CPYTHON_SLOT_OWNING},
	{"re.Pattern", ".pattern", 48, CPYTHON_SLOT_OWNING},
	/* reversedobject */
	{"reversed", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* setiterobject */
	{"set_iterator", ".<set>", 16, CPYTHON_SLOT_OWNING},
	/* setiterobject */
	{"setiterator", ".<set>", 16, CPYTHON_SLOT_OWNING},
	/* PySliceObject */
	{"slice", ".start", 16, CPYTHON_SLOT_OWNING},
	{"slice", ".stop", 24, CPYTHON_SLOT_OWNING},
	{"slice", ".step", 32, CPYTHON_SLOT_OWNING},
	/* staticmethod */
	{"staticmethod", ".__func__", 16, CPYTHON_SLOT_OWNING},
	{"staticmethod", ".__dict__", 24, CPYTHON_SLOT_OWNING},
	/* unicodeiterobject */
	{"str_ascii_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* unicodeiterobject */
	{"str_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* superobject */
	{"super", ".__thisclass__", 16, CPYTHON_SLOT_OWNING},
	{"super", ".__self__", 24, CPYTHON_SLOT_OWNING},
	{"super", ".__self_class__", 32, CPYTHON_SLOT_OWNING},
	/* localobject */
	{"thread._local", ".<key>", 16, CPYTHON_SLOT_UNSEEN},
	{"thread._local", ".<args>", 24, CPYTHON_SLOT_OWNING},
	{"thread._local", ".<kw>", 32, CPYTHON_SLOT_OWNING},
	{"thread._local", ".<dummies>", 48, CPYTHON_SLOT_OWNING},
	{"thread._local", ".<wr_callback>", 56, CPYTHON_SLOT_UNSEEN},
	/* lockobject */
	{"thread.lock", ".<lock>", 16, CPYTHON_SLOT_BUFFER},
	/* PyTracebackObject */
	{"traceback", ".tb_next", 16, CPYTHON_SLOT_OWNING},
	{"traceback", ".tb_frame", 24, CPYTHON_SLOT_OWNING},
	/* tupleiterobject */
	{"tuple_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* tupleiterobject */
	{"tupleiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* _PyNamespaceObject */
	{"types.SimpleNamespace", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakcallableproxy", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakcallableproxy", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakproxy", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakproxy", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakref", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakref", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakref.CallableProxyType", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakref.CallableProxyType", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakref.ProxyType", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakref.ProxyType", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyWeakReference */
	{"weakref.ReferenceType", ".<referent>", 16, CPYTHON_SLOT_WEAK},
	{"weakref.ReferenceType", ".__callback__", 24, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"wrapper_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"wrapper_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	{"wrapper_descriptor", ".__qualname__", 32, CPYTHON_SLOT_UNSEEN},
	/* ElementObject */
	{"xml.etree.ElementTree.Element", ".tag", 16, CPYTHON_SLOT_OWNING},
	{"xml.etree.ElementTree.Element", ".text", 24, CPYTHON_SLOT_TAGGED},
	{"xml.etree.ElementTree.Element", ".tail", 32, CPYTHON_SLOT_TAGGED},
	/* zipobject */
	{"zip", ".<iterators>", 24, CPYTHON_SLOT_OWNING},
	{"zip", ".<result>", 32, CPYTHON_SLOT_OWNING},
	{0},
};

const struct cpython_visit_layout cpython_visit_3_6 = {
	.instances_visit_type = false,
	.dict_visits_inline_since = CPYTHON_NEVER,
	.lru_visits_links = true,
	.code_nlocals = 24,
	.code_varnames = 64,
	.code_cellvars = 80,
	.code_freevars = 72,
	.code_nlocalsplus = CPYTHON_NONE,
	.code_localsplusnames = CPYTHON_NONE,
	.code_cached = CPYTHON_NONE,
	.frame_code = 32,
	.frame_valuestack = 64,
	.frame_stacktop = 72,
	.frame_stackdepth = CPYTHON_NONE,
	.frame_localsplus = 376,
	.frame_iframe = CPYTHON_NONE,
	.iframe_code = CPYTHON_NONE,
	.iframe_function = CPYTHON_NONE,
	.iframe_globals = CPYTHON_NONE,
	.iframe_builtins = CPYTHON_NONE,
	.iframe_locals = CPYTHON_NONE,
	.iframe_object = CPYTHON_NONE,
	.iframe_stacktop = CPYTHON_NONE,
	.iframe_stackpointer = CPYTHON_NONE,
	.iframe_owner = CPYTHON_NONE,
	.iframe_localsplus = CPYTHON_NONE,
	.generator_state = CPYTHON_NONE,
	.generator_iframe = CPYTHON_NONE,
	.deque_left = 24,
	.deque_leftindex = 40,
	.deque_nfree = CPYTHON_NONE,
	.deque_free = CPYTHON_NONE,
	.deque_weakrefs = 72,
	.deque_length = 16,
	.block_data = 8,
	.block_items = 64,
	.block_right = 520,
	.odict_first = 48,
	.odict_node_key = 0,
	.odict_node_next = 16,
	.lru_root = 0,
	.lru_next = 24,
	.lru_key = 40,
	.lru_result = 48,
	.tee_values = 40,
	.tee_numread = 24,
	.hamt_array = CPYTHON_NONE,
	.element_extra = 40,
	.extra_attrib = 0,
	.extra_length = 8,
	.extra_children = 24,
	.stgdict_proto = 96,
};
