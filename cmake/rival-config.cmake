# find_package(rival): the libraries rival::cli, rival::games, rival::train... of docs/adding-a-game.md, and
# rival::headers of docs/c-games.md.
include(CMakeFindDependencyMacro)
find_dependency(fmt)
find_dependency(CLI11)
find_dependency(nlohmann_json)
find_dependency(HWY)
find_dependency(OpenSSL)
include(${CMAKE_CURRENT_LIST_DIR}/rival-targets.cmake)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND NOT rival_FIND_QUIETLY)
  message(STATUS "No build type is set: what links with Rival is compiled with -O2 (CMAKE_BUILD_TYPE changes it)")
endif()
