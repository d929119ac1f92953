// What llama.cpp makes of a model file, for ours to stand beside: all its logits, its greedy run, its quantised file.
//
// Build against the prebuilt library of npm and the headers of the very source it was built from (both come in these packages):
//     npm install --prefix SCRATCH --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64
//     git clone SCRATCH/node_modules/node-llama-cpp/llama/gitRelease.bundle SCRATCH/src
//     bin=SCRATCH/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64
//     g++ -O2 -std=c++17 -I SCRATCH/src/include -I SCRATCH/src/ggml/include peer.cpp -o SCRATCH/peer \
//         $bin/libllama.v*.so $bin/libggml.v*.so $bin/libggml-base.so $bin/libllama-common.so -Wl,-rpath,$bin
//
// usage:  peer version
//         peer logits   MODEL.gguf IDS OUT.f32            [OPTIONS]   OUT: [ids, vocabulary] float32, little-endian
//         peer greedy   MODEL.gguf IDS COUNT              [OPTIONS]   one JSON line: ids, and by how much each led the next best
//         peer quantize MODEL.gguf OUT.gguf TYPE                      TYPE as llama.h numbers its ftypes by name: Q4_K, IQ4_XS, ...; pure
// IDS: comma-separated token ids. OPTIONS: --kv f16 (default f32: nothing is rounded), --flash (off by default), --batch N (default: one
// batch for logits), --context N (default: the model's own; it decides between long and short RoPE factors).
#include "ggml-backend.h"
#include "llama.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string & what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

std::vector<llama_token> read_ids(const std::string & text) {
    std::vector<llama_token> ids;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find(',', at), text.size());
        ids.push_back(std::atoi(text.substr(at, end - at).c_str()));
        at = end + 1;
    }
    return ids;
}

struct Options {
    ggml_type kv = GGML_TYPE_F32;
    bool flash = false;
    uint32_t batch = 0;
    uint32_t context = 0;
};

Options read_options(int argc, char ** argv, int first) {
    Options options;
    for (int i = first; i < argc; i++) {
        std::string name = argv[i];
        if (name == "--flash") options.flash = true;
        else if (name == "--kv" && i + 1 < argc) options.kv = std::string(argv[++i]) == "f16" ? GGML_TYPE_F16 : GGML_TYPE_F32;
        else if (name == "--batch" && i + 1 < argc) options.batch = std::atoi(argv[++i]);
        else if (name == "--context" && i + 1 < argc) options.context = std::atoi(argv[++i]);
        else fail("What is '" + name + "'?");
    }
    return options;
}

struct Run {
    llama_model * model;
    llama_context * context;
    int vocabulary;
    uint32_t batch;
    int position = 0;

    Run(const char * path, uint32_t positions, const Options & options) {
        llama_model_params model_params = llama_model_default_params();
        model_params.n_gpu_layers = 0;
        model_params.use_extra_bufts = false; // no repacked weights: they change the order of sums
        model = llama_model_load_from_file(path, model_params);
        if (!model) fail("llama.cpp does not load the file.");
        llama_context_params params = llama_context_default_params();
        params.n_ctx = options.context; // 0: the model's own, which decides which RoPE factors it takes
        params.n_batch = params.n_ubatch = batch = options.batch ? options.batch : positions;
        params.n_threads = params.n_threads_batch = 1;
        params.type_k = params.type_v = options.kv;
        params.flash_attn_type = options.flash ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
        params.swa_full = true;
        context = llama_init_from_model(model, params);
        if (!context) fail("llama.cpp makes no context for the file.");
        vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    }

    // Runs the ids; hands every position's logits to the visitor.
    template <typename Visit> void feed(const std::vector<llama_token> & ids, Visit visit) {
        for (size_t at = 0; at < ids.size(); at += batch) {
            int count = (int) std::min<size_t>(batch, ids.size() - at);
            llama_batch step = llama_batch_init(count, 0, 1);
            step.n_tokens = count;
            for (int i = 0; i < count; i++) {
                step.token[i] = ids[at + i];
                step.pos[i] = position++;
                step.n_seq_id[i] = 1;
                step.seq_id[i][0] = 0;
                step.logits[i] = 1;
            }
            if (llama_decode(context, step) != 0) fail("llama_decode failed.");
            for (int i = 0; i < count; i++) visit(llama_get_logits_ith(context, i));
            llama_batch_free(step);
        }
    }
};

int logits(int argc, char ** argv) {
    std::vector<llama_token> ids = read_ids(argv[3]);
    Run run(argv[2], (uint32_t) ids.size(), read_options(argc, argv, 5));
    FILE * file = std::fopen(argv[4], "wb");
    if (!file) fail("The output cannot be written.");
    run.feed(ids, [&](const float * row) { std::fwrite(row, sizeof(float), run.vocabulary, file); });
    std::fclose(file);
    return 0;
}

int greedy(int argc, char ** argv) {
    std::vector<llama_token> ids = read_ids(argv[3]);
    int count = std::atoi(argv[4]);
    Run run(argv[2], (uint32_t) (ids.size() + count), read_options(argc, argv, 5));
    std::vector<float> row(run.vocabulary);
    auto keep = [&](const float * next) { std::copy(next, next + run.vocabulary, row.begin()); };
    run.feed(ids, keep);
    std::string out = "{\"ids\":[", leads = "],\"leads\":[";
    for (int i = 0; i < count; i++) {
        int best = (int) (std::max_element(row.begin(), row.end()) - row.begin());
        float second = -INFINITY;
        for (int token = 0; token < run.vocabulary; token++)
            if (token != best) second = std::max(second, row[token]);
        char lead[32];
        std::snprintf(lead, sizeof lead, "%.3g", row[best] - second);
        out += (i ? "," : "") + std::to_string(best);
        leads += std::string(i ? "," : "") + lead;
        run.feed({best}, keep);
    }
    std::printf("%s%s]}\n", out.c_str(), leads.c_str());
    return 0;
}

int quantize(char ** argv) {
    static const std::map<std::string, std::pair<llama_ftype, ggml_type>> types = {
        {"F16", {LLAMA_FTYPE_MOSTLY_F16, GGML_TYPE_F16}},
        {"BF16", {LLAMA_FTYPE_MOSTLY_BF16, GGML_TYPE_BF16}},
        {"Q4_0", {LLAMA_FTYPE_MOSTLY_Q4_0, GGML_TYPE_Q4_0}},
        {"Q4_1", {LLAMA_FTYPE_MOSTLY_Q4_1, GGML_TYPE_Q4_1}},
        {"Q5_0", {LLAMA_FTYPE_MOSTLY_Q5_0, GGML_TYPE_Q5_0}},
        {"Q5_1", {LLAMA_FTYPE_MOSTLY_Q5_1, GGML_TYPE_Q5_1}},
        {"Q8_0", {LLAMA_FTYPE_MOSTLY_Q8_0, GGML_TYPE_Q8_0}},
        {"Q2_K", {LLAMA_FTYPE_MOSTLY_Q2_K, GGML_TYPE_Q2_K}},
        {"Q3_K", {LLAMA_FTYPE_MOSTLY_Q3_K_M, GGML_TYPE_Q3_K}},
        {"Q4_K", {LLAMA_FTYPE_MOSTLY_Q4_K_M, GGML_TYPE_Q4_K}},
        {"Q5_K", {LLAMA_FTYPE_MOSTLY_Q5_K_M, GGML_TYPE_Q5_K}},
        {"Q6_K", {LLAMA_FTYPE_MOSTLY_Q6_K, GGML_TYPE_Q6_K}},
        {"IQ4_NL", {LLAMA_FTYPE_MOSTLY_IQ4_NL, GGML_TYPE_IQ4_NL}},
        {"IQ4_XS", {LLAMA_FTYPE_MOSTLY_IQ4_XS, GGML_TYPE_IQ4_XS}},
        {"IQ3_XXS", {LLAMA_FTYPE_MOSTLY_IQ3_XXS, GGML_TYPE_IQ3_XXS}},
        {"IQ3_S", {LLAMA_FTYPE_MOSTLY_IQ3_S, GGML_TYPE_IQ3_S}},
        {"IQ2_S", {LLAMA_FTYPE_MOSTLY_IQ2_S, GGML_TYPE_IQ2_S}},
    };
    auto type = types.find(argv[4]);
    if (type == types.end()) fail(std::string("No type '") + argv[4] + "' here (IQ2_XXS and IQ2_XS need an importance matrix).");
    llama_model_quantize_params params = llama_model_quantize_default_params();
    params.nthread = 1;
    params.ftype = type->second.first;
    params.output_tensor_type = params.token_embedding_type = type->second.second;
    params.pure = true;
    return (int) llama_model_quantize(argv[2], argv[3], &params);
}

} // namespace

int main(int argc, char ** argv) {
    std::string verb = argc > 1 ? argv[1] : "";
    llama_log_set([](ggml_log_level level, const char * text, void *) { if (level == GGML_LOG_LEVEL_ERROR) std::fputs(text, stderr); }, nullptr);
    if (const char * folder = std::getenv("LLAMA_LIBRARIES")) ggml_backend_load_all_from_path(folder);
    else ggml_backend_load_all();
    llama_backend_init();
    if (verb == "version") { std::puts(llama_print_system_info()); return 0; }
    if (verb == "logits" && argc >= 5) return logits(argc, argv);
    if (verb == "greedy" && argc >= 5) return greedy(argc, argv);
    if (verb == "quantize" && argc == 5) return quantize(argv);
    fail("usage: peer version | logits MODEL IDS OUT | greedy MODEL IDS COUNT | quantize MODEL OUT TYPE");
}
