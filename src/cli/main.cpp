#include "cli/cli.hpp"
#include "games/catalog.hpp"

int main(int argc, char** argv) {
  return rival::cli::run(argc, argv, rival::catalog());
}
