/* CPython 2.7: fields of builtin and standard types, by its DWARF: scripts/slots. */
#include "layout/cpython_impl.h"

const struct cpython_slot cpython_slots_2_7[] = {
	/* PyBaseExceptionObject */
	{"BaseException", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"BaseException", ".args", 24, CPYTHON_SLOT_OWNING},
	{"BaseException", ".message", 32, CPYTHON_SLOT_OWNING},
	/* PyEnvironmentErrorObject */
	{"EnvironmentError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".errno", 40, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".strerror", 48, CPYTHON_SLOT_OWNING},
	{"EnvironmentError", ".filename", 56, CPYTHON_SLOT_OWNING},
	/* MatchObject */
	{"SRE_Match", ".string", 24, CPYTHON_SLOT_OWNING},
	{"SRE_Match", ".regs", 32, CPYTHON_SLOT_OWNING},
	{"SRE_Match", ".re", 40, CPYTHON_SLOT_OWNING},
	/* PatternObject */
	{"SRE_Pattern", ".groupindex", 32, CPYTHON_SLOT_OWNING},
	{"SRE_Pattern", ".<groups>", 40, CPYTHON_SLOT_OWNING},
	{"SRE_Pattern", ".pattern", 48, CPYTHON_SLOT_OWNING},
	/* StgDictObject */
	{"StgDict", ".<argtypes>", 328, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<converters>", 336, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<restype>", 344, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<checker>", 352, CPYTHON_SLOT_UNSEEN},
	{"StgDict", ".<format>", 368, CPYTHON_SLOT_BUFFER},
	{"StgDict", ".<shape>", 384, CPYTHON_SLOT_BUFFER},
	/* PyStructObject */
	{"Struct", ".format", 40, CPYTHON_SLOT_OWNING},
	/* PySyntaxErrorObject */
	{"SyntaxError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".msg", 40, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".filename", 48, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".lineno", 56, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".offset", 64, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".text", 72, CPYTHON_SLOT_OWNING},
	{"SyntaxError", ".print_file_and_line", 80, CPYTHON_SLOT_OWNING},
	/* PySystemExitObject */
	{"SystemExit", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".args", 24, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".message", 32, CPYTHON_SLOT_OWNING},
	{"SystemExit", ".code", 40, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeDecodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeDecodeError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeEncodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeEncodeError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"UnicodeTranslateError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"UnicodeTranslateError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"_collections._deque_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"_collections._deque_reverse_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* DialectObj */
	{"_csv.Dialect", ".lineterminator", 32, CPYTHON_SLOT_OWNING},
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
	{"_io.BytesIO", ".<buffer>", 16, CPYTHON_SLOT_BUFFER},
	{"_io.BytesIO", ".__dict__", 48, CPYTHON_SLOT_OWNING},
	/* fileio */
	{"_io.FileIO", ".__dict__", 32, CPYTHON_SLOT_OWNING},
	/* nldecoder_object */
	{"_io.IncrementalNewlineDecoder", ".<decoder>", 16, CPYTHON_SLOT_OWNING},
	{"_io.IncrementalNewlineDecoder", ".errors", 24, CPYTHON_SLOT_OWNING},
	/* stringio */
	{"_io.StringIO", ".<characters>", 16, CPYTHON_SLOT_BUFFER},
	{"_io.StringIO", ".<decoder>", 56, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<readnl>", 64, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".<writenl>", 72, CPYTHON_SLOT_UNSEEN},
	{"_io.StringIO", ".__dict__", 80, CPYTHON_SLOT_OWNING},
	/* textio */
	{"_io.TextIOWrapper", ".buffer", 32, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<encoder>", 48, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<decoder>", 56, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<readnl>", 64, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".errors", 72, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<writenl>", 80, CPYTHON_SLOT_WEAK},
	{"_io.TextIOWrapper", ".<decoded>", 112, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<pending>", 128, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<snapshot>", 144, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".<raw>", 152, CPYTHON_SLOT_OWNING},
	{"_io.TextIOWrapper", ".__dict__", 168, CPYTHON_SLOT_OWNING},
	/* PyEncoderObject */
	{"_json.Encoder", ".markers", 16, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".default", 24, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".encoder", 32, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".indent", 40, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".key_separator", 48, CPYTHON_SLOT_OWNING},
	{"_json.Encoder", ".item_separator", 56, CPYTHON_SLOT_OWNING},
	/* PyScannerObject */
	{"_json.Scanner", ".encoding", 16, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".strict", 24, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".object_hook", 32, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_float", 48, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_int", 56, CPYTHON_SLOT_OWNING},
	{"_json.Scanner", ".parse_constant", 64, CPYTHON_SLOT_OWNING},
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
	/* PyBufferObject */
	{"buffer", ".<base>", 16, CPYTHON_SLOT_OWNING},
	/* PyCFunctionObject */
	{"builtin_function_or_method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	{"builtin_function_or_method", ".__module__", 32, CPYTHON_SLOT_OWNING},
	/* PyCFunctionObject */
	{"builtin_method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	{"builtin_method", ".__module__", 32, CPYTHON_SLOT_OWNING},
	/* bytesiterobject */
	{"bytearray_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* Oobject */
	{"cStringIO.StringO", ".<buffer>", 16, CPYTHON_SLOT_BUFFER},
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
	/* PyDescrObject */
	{"classmethod_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"classmethod_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	/* PyClassObject */
	{"classobj", ".__bases__", 16, CPYTHON_SLOT_OWNING},
	{"classobj", ".__dict__", 24, CPYTHON_SLOT_OWNING},
	{"classobj", ".__name__", 32, CPYTHON_SLOT_OWNING},
	{"classobj", ".__getattr__", 40, CPYTHON_SLOT_OWNING},
	{"classobj", ".__setattr__", 48, CPYTHON_SLOT_OWNING},
	{"classobj", ".__delattr__", 56, CPYTHON_SLOT_OWNING},
	/* PyCodeObject */
	{"code", ".co_code", 32, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_consts", 40, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_names", 48, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_varnames", 56, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_freevars", 64, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_cellvars", 72, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_filename", 80, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_name", 88, CPYTHON_SLOT_UNSEEN},
	{"code", ".co_lnotab", 104, CPYTHON_SLOT_UNSEEN},
	{"code", ".<frame>", 112, CPYTHON_SLOT_BUFFER},
	{"code", ".<weakrefs>", 120, CPYTHON_SLOT_WEAK},
	/* defdictobject */
	{"collections.defaultdict", ".default_factory", 248, CPYTHON_SLOT_OWNING},
	/* PyGenObject */
	{"coroutine", ".gi_frame", 16, CPYTHON_SLOT_OWNING},
	{"coroutine", ".gi_code", 32, CPYTHON_SLOT_OWNING},
	/* PyDateTime_DateTime */
	{"datetime.datetime", ".tzinfo", 40, CPYTHON_SLOT_OWNING},
	/* PyDateTime_Time */
	{"datetime.time", ".tzinfo", 32, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"deque_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dequeiterobject */
	{"deque_reverse_iterator", ".<deque>", 32, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_itemiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_itemiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictviewobject */
	{"dict_items", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictiterobject */
	{"dict_keyiterator", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	{"dict_keyiterator", ".<result>", 40, CPYTHON_SLOT_OWNING},
	/* dictviewobject */
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
	/* dictviewobject */
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
	/* proxyobject */
	{"dictproxy", ".<mapping>", 16, CPYTHON_SLOT_OWNING},
	/* enumobject */
	{"enumerate", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	{"enumerate", ".<result>", 32, CPYTHON_SLOT_OWNING},
	{"enumerate", ".<index>", 40, CPYTHON_SLOT_OWNING},
	/* PyBaseExceptionObject */
	{"exceptions.BaseException", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.BaseException", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.BaseException", ".message", 32, CPYTHON_SLOT_OWNING},
	/* PyEnvironmentErrorObject */
	{"exceptions.EnvironmentError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.EnvironmentError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.EnvironmentError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.EnvironmentError", ".errno", 40, CPYTHON_SLOT_OWNING},
	{"exceptions.EnvironmentError", ".strerror", 48, CPYTHON_SLOT_OWNING},
	{"exceptions.EnvironmentError", ".filename", 56, CPYTHON_SLOT_OWNING},
	/* PySyntaxErrorObject */
	{"exceptions.SyntaxError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".msg", 40, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".filename", 48, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".lineno", 56, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".offset", 64, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".text", 72, CPYTHON_SLOT_OWNING},
	{"exceptions.SyntaxError", ".print_file_and_line", 80, CPYTHON_SLOT_OWNING},
	/* PySystemExitObject */
	{"exceptions.SystemExit", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.SystemExit", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.SystemExit", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.SystemExit", ".code", 40, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"exceptions.UnicodeDecodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeDecodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeDecodeError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeDecodeError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeDecodeError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeDecodeError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"exceptions.UnicodeEncodeError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeEncodeError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeEncodeError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeEncodeError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeEncodeError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeEncodeError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyUnicodeErrorObject */
	{"exceptions.UnicodeTranslateError", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeTranslateError", ".args", 24, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeTranslateError", ".message", 32, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeTranslateError", ".encoding", 40, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeTranslateError", ".object", 48, CPYTHON_SLOT_OWNING},
	{"exceptions.UnicodeTranslateError", ".reason", 72, CPYTHON_SLOT_OWNING},
	/* PyFileObject */
	{"file", ".name", 24, CPYTHON_SLOT_OWNING},
	{"file", ".mode", 32, CPYTHON_SLOT_OWNING},
	{"file", ".encoding", 104, CPYTHON_SLOT_OWNING},
	{"file", ".errors", 112, CPYTHON_SLOT_OWNING},
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
	{"function", ".__closure__", 40, CPYTHON_SLOT_OWNING},
	{"function", ".__doc__", 48, CPYTHON_SLOT_OWNING},
	{"function", ".__name__", 56, CPYTHON_SLOT_OWNING},
	{"function", ".__dict__", 64, CPYTHON_SLOT_OWNING},
	{"function", ".__module__", 80, CPYTHON_SLOT_OWNING},
	/* partialobject */
	{"functools.partial", ".func", 16, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".args", 24, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".keywords", 32, CPYTHON_SLOT_OWNING},
	{"functools.partial", ".__dict__", 40, CPYTHON_SLOT_OWNING},
	/* PyGenObject */
	{"generator", ".gi_frame", 16, CPYTHON_SLOT_OWNING},
	{"generator", ".gi_code", 32, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"getset_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"getset_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	/* PyInstanceObject */
	{"instance", ".__class__", 16, CPYTHON_SLOT_OWNING},
	{"instance", ".__dict__", 24, CPYTHON_SLOT_OWNING},
	/* PyMethodObject */
	{"instancemethod", ".im_func", 16, CPYTHON_SLOT_OWNING},
	{"instancemethod", ".im_self", 24, CPYTHON_SLOT_OWNING},
	{"instancemethod", ".im_class", 32, CPYTHON_SLOT_OWNING},
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
	/* ifilterfalseobject */
	{"itertools.filterfalse", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.filterfalse", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* groupbyobject */
	{"itertools.groupby", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<key>", 24, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<target_key>", 32, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<current_key>", 40, CPYTHON_SLOT_OWNING},
	{"itertools.groupby", ".<current_value>", 48, CPYTHON_SLOT_OWNING},
	/* ifilterobject */
	{"itertools.ifilter", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.ifilter", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* ifilterfalseobject */
	{"itertools.ifilterfalse", ".<function>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.ifilterfalse", ".<iterator>", 24, CPYTHON_SLOT_OWNING},
	/* imapobject */
	{"itertools.imap", ".<iterators>", 16, CPYTHON_SLOT_OWNING},
	{"itertools.imap", ".<function>", 24, CPYTHON_SLOT_OWNING},
	/* isliceobject */
	{"itertools.islice", ".<iterator>", 16, CPYTHON_SLOT_OWNING},
	/* izipobject */
	{"itertools.izip", ".<iterators>", 24, CPYTHON_SLOT_OWNING},
	{"itertools.izip", ".<result>", 32, CPYTHON_SLOT_OWNING},
	/* iziplongestobject */
	{"itertools.izip_longest", ".<iterators>", 32, CPYTHON_SLOT_OWNING},
	{"itertools.izip_longest", ".<result>", 40, CPYTHON_SLOT_OWNING},
	{"itertools.izip_longest", ".<fillvalue>", 48, CPYTHON_SLOT_OWNING},
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
	/* listiterobject */
	{"list_iterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listreviterobject */
	{"list_reverseiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listiterobject */
	{"listiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* listreviterobject */
	{"listreverseiterator", ".<sequence>", 24, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"member_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"member_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	/* PyMemoryViewObject */
	{"memoryview", ".<base>", 16, CPYTHON_SLOT_OWNING},
	{"memoryview", ".obj", 32, CPYTHON_SLOT_OWNING},
	/* PyMethodObject */
	{"method", ".__func__", 16, CPYTHON_SLOT_OWNING},
	{"method", ".__self__", 24, CPYTHON_SLOT_OWNING},
	/* wrapperobject */
	{"method-wrapper", ".<descriptor>", 16, CPYTHON_SLOT_OWNING},
	{"method-wrapper", ".__self__", 24, CPYTHON_SLOT_OWNING},
	/* PyDescrObject */
	{"method_descriptor", ".__objclass__", 16, CPYTHON_SLOT_OWNING},
	{"method_descriptor", ".__name__", 24, CPYTHON_SLOT_UNSEEN},
	/* PyModuleObject */
	{"module", ".__dict__", 16, CPYTHON_SLOT_OWNING},
	/* dictviewobject */
	{"odict_items", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictviewobject */
	{"odict_keys", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* dictviewobject */
	{"odict_values", ".<dict>", 16, CPYTHON_SLOT_OWNING},
	/* attrgetterobject */
	{"operator.attrgetter", ".<attr>", 24, CPYTHON_SLOT_OWNING},
	/* itemgetterobject */
	{"operator.itemgetter", ".<item>", 24, CPYTHON_SLOT_OWNING},
	/* methodcallerobject */
	{"operator.methodcaller", ".<name>", 16, CPYTHON_SLOT_UNSEEN},
	{"operator.methodcaller", ".<args>", 24, CPYTHON_SLOT_OWNING},
	{"operator.methodcaller", ".<keywords>", 32, CPYTHON_SLOT_OWNING},
	/* propertyobject */
	{"property", ".fget", 16, CPYTHON_SLOT_OWNING},
	{"property", ".fset", 24, CPYTHON_SLOT_OWNING},
	{"property", ".fdel", 32, CPYTHON_SLOT_OWNING},
	{"property", ".__doc__", 40, CPYTHON_SLOT_OWNING},
	/* rangeobject */
	{"range", ".start", 16, CPYTHON_SLOT_OWNING},
	{"range", ".step", 24, CPYTHON_SLOT_OWNING},
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
	/* ElementObject */
	{"xml.etree.ElementTree.Element", ".tag", 16, CPYTHON_SLOT_OWNING},
	{"xml.etree.ElementTree.Element", ".text", 24, CPYTHON_SLOT_TAGGED},
	{"xml.etree.ElementTree.Element", ".tail", 32, CPYTHON_SLOT_TAGGED},
	{0},
};

const struct cpython_visit_layout cpython_visit_2_7 = {
	.instances_visit_type = false,
	.dict_visits_inline_since = CPYTHON_NEVER,
	.code_nlocals = 20,
	.code_varnames = 56,
	.code_cellvars = 72,
	.code_freevars = 64,
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
	.deque_left = 16,
	.deque_leftindex = 32,
	.deque_nfree = CPYTHON_NONE,
	.deque_free = CPYTHON_NONE,
	.deque_weakrefs = 72,
	.deque_length = 48,
	.block_data = 0,
	.block_items = 62,
	.block_right = 496,
	.odict_first = CPYTHON_NONE,
	.odict_node_key = CPYTHON_NONE,
	.odict_node_next = CPYTHON_NONE,
	.lru_root = CPYTHON_NONE,
	.lru_next = CPYTHON_NONE,
	.lru_key = CPYTHON_NONE,
	.lru_result = CPYTHON_NONE,
	.tee_values = 40,
	.tee_numread = 24,
	.hamt_array = CPYTHON_NONE,
	.element_extra = 40,
	.extra_attrib = 0,
	.extra_length = 8,
	.extra_children = 16,
	.stgdict_proto = 296,
};
