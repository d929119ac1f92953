/* A CUDA driver without a card: it takes every call that ILGPU makes, keeps memory in the process, and runs no kernel.
 *
 * With it the whole way to a card can be walked on any Linux machine: devices are listed, kernels compiled to PTX and loaded, launched with
 * their real grids, graphs captured. What a kernel would compute is not computed; results are zeros. It says nothing about speed.
 *
 *   gcc -shared -fPIC -o FOLDER/libcuda.so.1 tools/gpu/stub/cuda.c && LD_LIBRARY_PATH=FOLDER kwaainet devices
 *
 *   STUB_PTX=FOLDER    every module that is loaded is written there, numbered
 *   STUB_LOG=FILE      one line a launch: kernel, grid, group, bytes of shared memory; captures and replays of graphs
 *   STUB_BUSY=1        the card cannot be opened
 *   STUB_FAULT=N       the Nth launch is the last that succeeds; from then on everything is "an illegal memory access"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { Ok = 0, OutOfMemory = 2, DeviceUnavailable = 46, IllegalAddress = 700 };
enum { Multiprocessors = 132, Major = 9, Minor = 0, DriverVersion = 13000 };
#define TOTAL (140ull << 30)

struct function { char name[256]; };
static long launches, modules, nodes;
static int fault;
static unsigned long long used;

static void say(const char *text) {
    const char *path = getenv("STUB_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fputs(text, file);
    fclose(file);
}

int cuInit(unsigned flags) { (void)flags; return Ok; }
int cuDriverGetVersion(int *version) { *version = DriverVersion; return Ok; }
int cuGetErrorString(int error, const char **text) {
    *text = error == DeviceUnavailable ? "all CUDA-capable devices are busy or unavailable" : error == IllegalAddress ? "an illegal memory access was encountered" : "an error of the stub";
    return Ok;
}

/* Devices: one, in the shape of an H200. */
int cuDeviceGetCount(int *count) { *count = 1; return Ok; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return Ok; }
int cuDeviceGetName(char *name, int length, int device) { (void)device; snprintf(name, length, "Stub of an H200"); return Ok; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { (void)device; *bytes = TOTAL; return Ok; }
int cuDeviceCanAccessPeer(int *can, int a, int b) { (void)a; (void)b; *can = 0; return Ok; }
int cuDeviceGetP2PAttribute(int *value, int a, int b, int c) { (void)a; (void)b; (void)c; *value = 0; return Ok; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    (void)device;
    switch (attribute) {
    case 1: case 2: case 3: *value = 1024; break;             /* threads of a group, its x and y */
    case 4: *value = 64; break;                               /* its z */
    case 5: *value = 2147483647; break;                       /* groups of a grid, x */
    case 6: case 7: *value = 65535; break;                    /* y and z */
    case 8: *value = 49152; break;                            /* shared memory of a group */
    case 9: *value = 65536; break;                            /* constant memory */
    case 10: *value = 32; break;                              /* threads of a warp */
    case 12: case 82: *value = 65536; break;                  /* registers of a group, of a multiprocessor */
    case 13: *value = 1980000; break;                         /* clock, kHz */
    case 16: *value = Multiprocessors; break;
    case 36: *value = 3201000; break;                         /* memory's clock, kHz */
    case 37: *value = 6144; break;                            /* its width, bits */
    case 38: *value = 60 << 20; break;                        /* second-level cache */
    case 39: *value = 2048; break;                            /* threads of a multiprocessor */
    case 75: *value = Major; break;
    case 76: *value = Minor; break;
    case 81: *value = 233472; break;                          /* shared memory of a multiprocessor */
    default: *value = 0; break;
    }
    return Ok;
}

/* Contexts and streams: any pointer will do. */
int cuCtxCreate_v2(void **context, unsigned flags, int device) { (void)flags; (void)device; *context = &used; return getenv("STUB_BUSY") ? DeviceUnavailable : Ok; }
int cuCtxDestroy_v2(void *context) { (void)context; return fault; }
int cuCtxSetCurrent(void *context) { (void)context; return Ok; }
int cuCtxSynchronize(void) { return fault; }
int cuCtxGetCacheConfig(int *value) { *value = 0; return Ok; }
int cuCtxSetCacheConfig(int value) { (void)value; return Ok; }
int cuCtxGetSharedMemConfig(int *value) { *value = 0; return Ok; }
int cuCtxSetSharedMemConfig(int value) { (void)value; return Ok; }
int cuCtxEnablePeerAccess(void *context, unsigned flags) { (void)context; (void)flags; return Ok; }
int cuCtxDisablePeerAccess(void *context) { (void)context; return Ok; }
int cuStreamCreate(void **stream, unsigned flags) { (void)flags; *stream = &launches; return Ok; }
int cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) { (void)flags; (void)priority; *stream = &launches; return Ok; }
int cuStreamDestroy_v2(void *stream) { (void)stream; return fault; }
int cuStreamSynchronize(void *stream) { (void)stream; return fault; }

/* Events take no time. */
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = &modules; return Ok; }
int cuEventDestroy_v2(void *event) { (void)event; return Ok; }
int cuEventRecord(void *event, void *stream) { (void)event; (void)stream; return fault; }
int cuEventQuery(void *event) { (void)event; return fault; }
int cuEventSynchronize(void *event) { (void)event; return fault; }
int cuEventElapsedTime(float *milliseconds, void *from, void *to) { (void)from; (void)to; *milliseconds = 0; return fault; }

/* Memory: the process's own, each block with its size before it. */
int cuMemGetInfo_v2(size_t *available, size_t *total) { *total = TOTAL; *available = TOTAL - used; return fault; }
int cuMemAlloc_v2(void **address, size_t bytes) {
    if (fault) return fault;
    unsigned long long *block = bytes > TOTAL - used ? NULL : calloc(1, bytes + 256);
    if (!block) return OutOfMemory;
    *block = bytes;
    used += bytes;
    *address = (char *)block + 256;
    return Ok;
}
int cuMemFree_v2(void *address) {
    if (!address) return Ok;
    unsigned long long *block = (void *)((char *)address - 256);
    used -= *block;
    free(block);
    return fault;
}
int cuMemAllocHost_v2(void **address, size_t bytes) { *address = malloc(bytes); return *address ? Ok : OutOfMemory; }
int cuMemFreeHost(void *address) { free(address); return Ok; }
int cuMemHostRegister_v2(void *address, size_t bytes, unsigned flags) { (void)address; (void)bytes; (void)flags; return Ok; }
int cuMemHostUnregister(void *address) { (void)address; return Ok; }
int cuMemHostGetDevicePointer_v2(void **device, void *host, unsigned flags) { (void)flags; *device = host; return Ok; }
int cuPointerGetAttribute(void *value, int attribute, void *address) { (void)attribute; (void)address; memset(value, 0, 4); return Ok; }
int cuMemcpyAsync(void *to, const void *from, size_t bytes, void *stream) { (void)stream; if (!fault) memmove(to, from, bytes); return fault; }
/* Nothing is set: results stay the zeros they were, and a graph gives what its launches gave. */
int cuMemsetD8Async(void *to, unsigned char value, size_t bytes, void *stream) { (void)to; (void)value; (void)bytes; (void)stream; return fault; }

/* Modules and launches. */
int cuModuleLoadDataEx(void **module, const char *ptx, unsigned count, int *options, void **values) {
    (void)count; (void)options; (void)values;
    const char *folder = getenv("STUB_PTX");
    long number = modules++;
    if (folder) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%04ld.ptx", folder, number);
        FILE *file = fopen(path, "w");
        if (file) { fputs(ptx, file); fclose(file); }
    }
    *module = &modules;
    return fault;
}
int cuModuleLoadData(void **module, const char *ptx) { return cuModuleLoadDataEx(module, ptx, 0, NULL, NULL); }
int cuModuleUnload(void *module) { (void)module; return Ok; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    (void)module;
    struct function *made = malloc(sizeof *made);
    snprintf(made->name, sizeof made->name, "%s", name);
    *function = made;
    return fault;
}
int cuFuncSetAttribute(void *function, int attribute, int value) { (void)function; (void)attribute; (void)value; return Ok; }
int cuOccupancyMaxPotentialBlockSize(int *grid, int *group, void *function, void *dynamic, size_t shared, int limit) {
    (void)function; (void)dynamic; (void)shared;
    *grid = Multiprocessors * 2;
    *group = limit > 0 && limit < 256 ? limit : 256;
    return Ok;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *groups, void *function, int threads, size_t shared) { (void)function; (void)threads; (void)shared; *groups = 4; return Ok; }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *stream, void **arguments, void **extra) {
    (void)stream; (void)arguments; (void)extra;
    const char *last = getenv("STUB_FAULT");
    if (fault || (last && launches >= atol(last))) return fault = IllegalAddress;
    launches++;
    nodes++;
    char line[512];
    snprintf(line, sizeof line, "launch %s grid %u %u %u group %u %u %u shared %u\n", ((struct function *)function)->name, gx, gy, gz, bx, by, bz, shared);
    say(line);
    return Ok;
}

/* Graphs. */
int cuStreamBeginCapture_v2(void *stream, int mode) { (void)stream; (void)mode; nodes = 0; say("capture begins\n"); return fault; }
int cuStreamEndCapture(void *stream, void **graph) {
    (void)stream;
    char line[64];
    snprintf(line, sizeof line, "capture ends with %ld launches\n", nodes);
    say(line);
    *graph = &nodes;
    return fault;
}
int cuStreamIsCapturing(void *stream, int *status) { (void)stream; *status = 0; return Ok; }
int cuGraphInstantiateWithFlags(void **executable, void *graph, unsigned long long flags) { (void)graph; (void)flags; *executable = &nodes; return fault; }
int cuGraphInstantiate_v2(void **executable, void *graph, void **node, char *log, size_t size) { (void)graph; (void)node; (void)log; (void)size; *executable = &nodes; return fault; }
int cuGraphLaunch(void *executable, void *stream) { (void)executable; (void)stream; say("replay\n"); return fault; }
int cuGraphUpload(void *executable, void *stream) { (void)executable; (void)stream; return fault; }
int cuGraphExecDestroy(void *executable) { (void)executable; return Ok; }
int cuGraphDestroy(void *graph) { (void)graph; return Ok; }
