// Compiled by concept_test.cpp: an option whose value is a word that there is not, or that there is.
#include "nn/network.hpp"

rival::NetworkOptions options() {
  rival::NetworkOptions options;
  options.grid = WORD;
  return options;
}
