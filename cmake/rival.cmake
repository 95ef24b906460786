# How every part of Rival is built: one function for a module, one for warnings.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Games and training must give the same bits with every compiler setting, so products and sums are never contracted
# into fused ones behind our back; the kernels that want them say so.
add_compile_options(-ffp-contract=off)

option(RIVAL_WERROR "Warnings are errors" OFF)
set(RIVAL_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion)
if(RIVAL_WERROR)
  list(APPEND RIVAL_WARNINGS -Werror)
endif()

if(RIVAL_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# rival_module(NAME [DEPENDS targets...]): the library rival_NAME from the folder's *.cpp, and its tests, labelled NAME,
# from the folder's *_test.cpp. Tests whose suite name ends in Slow carry the label `slow` instead.
function(rival_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;TEST_DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  if(sources)
    add_library(rival_${name} STATIC ${sources})
    set(visibility PUBLIC)
    target_compile_options(rival_${name} PRIVATE ${RIVAL_WARNINGS})
  else()
    add_library(rival_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(rival_${name} ${visibility} ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rival_${name} ${visibility} ${arg_DEPENDS})
  if(RIVAL_TESTS AND tests)
    rival_test(${name}_test LABEL ${name} SOURCES ${tests} DEPENDS rival_${name} ${arg_TEST_DEPENDS})
  endif()
endfunction()

# rival_test(TARGET LABEL label SOURCES files... DEPENDS targets...): one GoogleTest program.
function(rival_test target)
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_compile_options(${target} PRIVATE ${RIVAL_WARNINGS})
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE RIVAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${target} TEST_FILTER "-*Slow.*" PROPERTIES LABELS ${arg_LABEL} DISCOVERY_MODE PRE_TEST)
  gtest_discover_tests(${target} TEST_FILTER "*Slow.*" TEST_SUFFIX "" TEST_LIST ${target}_slow
                       PROPERTIES LABELS "slow" TIMEOUT 1800 DISCOVERY_MODE PRE_TEST)
endfunction()
