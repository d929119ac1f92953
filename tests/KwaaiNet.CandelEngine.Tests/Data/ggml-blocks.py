# Writes ggml-blocks.json: what ggml itself decodes fixed blocks of each quantised type to.
#
#   python3 ggml-blocks.py LIBRARY ggml-blocks.json
#
# LIBRARY is a shared library with ggml's dequantize_row_* functions: libggml-base.so of a llama.cpp build, or ggml-quants.c alone
# (cc -shared -fPIC -O1 -ffp-contract=off -I ggml/include -I ggml/src ggml/src/ggml-quants.c). Made with llama.cpp b9888.
import ctypes, hashlib, json, os, struct, sys

lib = ctypes.CDLL(os.path.abspath(sys.argv[1]), mode=os.RTLD_LAZY)
# type: function, numbers in a block, bytes of a block
types = {
    'Q4_0': ('q4_0', 32, 18), 'Q4_1': ('q4_1', 32, 20), 'Q5_0': ('q5_0', 32, 22), 'Q5_1': ('q5_1', 32, 24), 'Q8_0': ('q8_0', 32, 34),
    'Q2_K': ('q2_K', 256, 84), 'Q3_K': ('q3_K', 256, 110), 'Q4_K': ('q4_K', 256, 144), 'Q5_K': ('q5_K', 256, 176), 'Q6_K': ('q6_K', 256, 210),
    'IQ1_S': ('iq1_s', 256, 50), 'IQ1_M': ('iq1_m', 256, 56), 'IQ2_XXS': ('iq2_xxs', 256, 66), 'IQ2_XS': ('iq2_xs', 256, 74),
    'IQ2_S': ('iq2_s', 256, 82), 'IQ3_XXS': ('iq3_xxs', 256, 98), 'IQ3_S': ('iq3_s', 256, 110), 'IQ4_NL': ('iq4_nl', 32, 18),
    'IQ4_XS': ('iq4_xs', 256, 136), 'TQ1_0': ('tq1_0', 256, 54), 'TQ2_0': ('tq2_0', 256, 66), 'MXFP4': ('mxfp4', 32, 17),
}


def decode(name, data):
    function, numbers, size = types[name]
    count = len(data) // size * numbers
    source, target = ctypes.create_string_buffer(data, len(data)), (ctypes.c_float * count)()
    call = getattr(lib, 'dequantize_row_' + function)
    call.restype, call.argtypes = None, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    call(source, target, count)
    # Every NaN the same: its bits are the processor's choice.
    words = struct.unpack('<%dI' % count, bytes(target))
    return struct.pack('<%dI' % count, *[0x7FC00000 if (w & 0x7FFFFFFF) > 0x7F800000 else w for w in words])


# Bytes that anyone can make again: SHA-256 of "TYPE:0", "TYPE:1", … one after the other.
def make(name, length):
    data, n = b'', 0
    while len(data) < length:
        data += hashlib.sha256(f'{name}:{n}'.encode()).digest()
        n += 1
    return data[:length]


blocks = 64
result = []
for name, (_, _, size) in types.items():
    data = make(name, blocks * size)
    result.append({
        'type': name,
        'blocks': blocks,
        'first': decode(name, data[:size])[:64].hex(),
        'sha256': hashlib.sha256(decode(name, data)).hexdigest(),
        'ones': hashlib.sha256(decode(name, b'\xff' * size)).hexdigest(),
        'zeros': hashlib.sha256(decode(name, b'\0' * size)).hexdigest(),
    })
with open(sys.argv[2], 'w') as file:
    json.dump(result, file, indent=1)
    file.write('\n')
