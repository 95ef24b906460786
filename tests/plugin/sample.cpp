// A plug-in for the tests of plug-ins.
#include "base/plugin.hpp"

RIVAL_PLUGIN

extern "C" __attribute__((visibility("default"))) int rival_twice(int x) {
  return 2 * x;
}
