#include "games/catalog.hpp"

namespace rival {

std::vector<GameEntry> catalog() {
  return {};
}

}  // namespace rival
