// Prints what native/base/limits.cc makes of faked files: argv is a folder that stands for the root, and the processors that
// the affinity mask allows; the line printed is "threads from".

#include <cstdio>
#include <cstdlib>

#include "base/limits.h"

int main(int count, char** arguments) {
  std::vector<int> processors;
  for (int i = 2; i < count; ++i) processors.push_back(std::atoi(arguments[i]));
  const packed_lstm::ThreadLimit limit = packed_lstm::thread_limit_under(arguments[1], processors);
  std::printf("%d %s\n", limit.threads, packed_lstm::name_of(limit.from));
}
