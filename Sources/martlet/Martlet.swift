import ArgumentParser

@main
struct Martlet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "martlet",
    abstract: "Runs small language models on the machine you have.",
    discussion: """
      A model is a path (GGUF, safetensors, PyTorch .pth/.bin, rwkv.cpp .bin, or a folder from the hub), or the name \
      of one under MARTLET_HOME (default ~/.martlet).

      Example: martlet generate model.gguf "The capital of France is"

      Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 64 the command was not \
      understood, 130 interrupted.

      Environment: MARTLET_HOME, MARTLET_THREADS (number of threads), MARTLET_SIMD (portable, avx2, avx512, ...: \
      a lower set of kernels).
      """,
    version: "0.1.0",
    subcommands: [
      Generate.self, Chat.self, Models.self, Convert.self, Tokenize.self, Logits.self, Bench.self,
    ])
}
