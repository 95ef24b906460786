// Drives a fuzz target without libFuzzer: every file of the corpus folder, then seeded mutations of them for a moment.
// Usage: TARGET [CORPUS [MUTATIONS]]. It crashes where the target crashes; the last input is in no file, but the same
// arguments give the same inputs.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "rival/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

std::vector<Bytes> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Bytes> inputs = {{}};
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

Bytes mutate(Bytes input, rival::Random& random) {
  for (int edits = 1 + random.below(4); edits > 0; --edits) {
    const int size = static_cast<int>(input.size());
    const auto byte = static_cast<std::uint8_t>(random.below(256));
    switch (size == 0 ? 1 : random.below(4)) {
      case 0:
        input[random.below(size)] = byte;
        break;
      case 1:
        input.insert(input.begin() + random.below(size + 1), byte);
        break;
      case 2:
        input.erase(input.begin() + random.below(size));
        break;
      default:
        input.resize(random.below(size));
        break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Bytes> corpus = read_corpus(argc > 1 ? argv[1] : "");
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 2000;
  for (const Bytes& input : corpus) LLVMFuzzerTestOneInput(input.data(), input.size());
  rival::Random random(rival::Key(1));
  for (int i = 0; i < mutations; ++i) {
    const Bytes input = mutate(corpus[random.below(static_cast<int>(corpus.size()))], random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu inputs of the corpus, %d mutations\n", corpus.size(), mutations);
}
