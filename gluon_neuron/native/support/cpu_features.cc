// What this machine's processor can do, by the names that the kernel gives it.
#include "support/cpu_features.h"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace gn {
namespace {

// The words of the first line that lists them: "flags" on x86, "Features" on ARM.
std::set<std::string> read_features() {
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> found;
  for (std::string line; found.empty() && std::getline(file, line);) {
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) found.insert(word);
  }
  return found;
}

std::set<std::string> features_here() {
  const char* given = std::getenv("GLUON_NEURON_CPU_FEATURES");
  if (!given) {
    static const std::set<std::string>* const here = new std::set<std::string>(read_features());
    return *here;
  }
  std::set<std::string> found;
  std::istringstream words(given);
  for (std::string word; std::getline(words, word, ',');) {
    std::string name;
    for (const unsigned char letter : word) {
      if (!std::isspace(letter)) name += static_cast<char>(std::tolower(letter));
    }
    found.insert(name);
  }
  return found;
}

}  // namespace

std::vector<std::string> lacking_features(const std::vector<std::string>& wanted) {
  std::vector<std::string> lacking;
  if (wanted.empty()) return lacking;
  const std::set<std::string> here = features_here();
  for (const std::string& feature : wanted) {
    if (here.count(feature) == 0) lacking.push_back(feature);
  }
  return lacking;
}

}  // namespace gn
