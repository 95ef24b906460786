# How every part of Rival is built: one function each for a module, a test program and a fuzzer.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(PROJECT_IS_TOP_LEVEL)
  set_property(GLOBAL PROPERTY GLOBAL_DEPENDS_NO_CYCLES ON)
endif()
find_program(RIVAL_CCACHE ccache)
mark_as_advanced(RIVAL_CCACHE)
if(RIVAL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${RIVAL_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RIVAL_CCACHE})
endif()
# Sanitized builds also check the standard library's containers and views.
set(RIVAL_SANITIZE "" CACHE STRING "Sanitizers to build with: 'address,undefined', 'thread' or none")
if(RIVAL_SANITIZE)
  add_compile_options(-fsanitize=${RIVAL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RIVAL_SANITIZE})
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

option(RIVAL_WERROR "Warnings are errors" OFF)
# Designated initialisers leave fields to their defaults on purpose.
set(RIVAL_WARNINGS -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # What g++ 12 sees in std::string (PR 105651) and, instrumented by sanitizers, in std::regex is not there.
  list(APPEND RIVAL_WARNINGS -Wno-restrict)
  if(RIVAL_SANITIZE)
    list(APPEND RIVAL_WARNINGS -Wno-maybe-uninitialized)
  endif()
endif()
if(RIVAL_WERROR)
  list(APPEND RIVAL_WARNINGS -Werror)
endif()

find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
include(GNUInstallDirs)

if(RIVAL_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

if(RIVAL_FUZZ)
  add_custom_target(fuzzers)
endif()

# rival_module(NAME [DEPENDS targets...] [TEST_DEPENDS targets...]): the library rival_NAME from the folder's *.cpp (a
# main.cpp apart), its tests, labelled NAME, from *_test.cpp, and a fuzzer from each *_fuzz.cpp. Tests whose suite name
# ends in Slow carry the label `slow` instead.
function(rival_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;TEST_DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|/main)\\.cpp$")
  if(sources)
    add_library(rival_${name} STATIC ${sources})
    set(visibility PUBLIC)
    target_compile_options(rival_${name} PRIVATE ${RIVAL_WARNINGS})
  else()
    add_library(rival_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(rival_${name} ${visibility} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(rival_${name} ${visibility} ${arg_DEPENDS})
  rival_library(${name})
  if(RIVAL_TESTS AND tests)
    rival_test(${name}_test LABEL ${name} SOURCES ${tests} DEPENDS rival_${name} ${arg_TEST_DEPENDS})
  endif()
  foreach(fuzzer ${fuzzers})
    get_filename_component(target ${fuzzer} NAME_WE)
    rival_fuzz(${target} LABEL ${name} SOURCE ${fuzzer} DEPENDS rival_${name})
  endforeach()
endfunction()

# rival_library(NAME): rival_NAME is a library for programs outside: `rival::NAME`, from this tree or installed.
function(rival_library name)
  add_library(rival::${name} ALIAS rival_${name})
  set_target_properties(rival_${name} PROPERTIES EXPORT_NAME ${name})
  set_property(GLOBAL APPEND PROPERTY RIVAL_LIBRARIES rival_${name})
endfunction()

# rival_plugin(NAME SOURCES files... [DEPENDS targets...] [FOLDER folder] [VERSION version]): rival-NAME.so, which the
# program loads when it is asked for what is in it (base/plugin.hpp). It shares headers with the program, and no
# code but that of check().
function(rival_plugin name)
  cmake_parse_arguments(arg "" "FOLDER;VERSION" "SOURCES;DEPENDS" ${ARGN})
  set(folder ${PROJECT_BINARY_DIR}/plugins)
  set(version ${PROJECT_VERSION})
  if(arg_FOLDER)
    set(folder ${arg_FOLDER})
  else()
    set_property(GLOBAL APPEND PROPERTY RIVAL_PLUGINS rival_plugin_${name})
  endif()
  if(arg_VERSION)
    set(version ${arg_VERSION})
  endif()
  add_library(rival_plugin_${name} MODULE ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/src/base/check.cpp)
  set_target_properties(rival_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME rival-${name} CXX_VISIBILITY_PRESET hidden
                        VISIBILITY_INLINES_HIDDEN ON LIBRARY_OUTPUT_DIRECTORY ${folder})
  target_compile_options(rival_plugin_${name} PRIVATE ${RIVAL_WARNINGS})
  target_compile_definitions(rival_plugin_${name} PRIVATE RIVAL_VERSION="${version}")
  target_include_directories(rival_plugin_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rival_plugin_${name} PRIVATE ${arg_DEPENDS})
endfunction()

# rival_plugin_absent(NAME packages...): says that a plug-in is left out, and what it takes; a test that is skipped says so
# too.
function(rival_plugin_absent name)
  list(JOIN ARGN " and " packages)
  message(STATUS "The plug-in ${name} is left out: it takes ${packages} (scripts/install-deps plugins)")
  if(RIVAL_TESTS)
    add_test(NAME plugin_${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${packages} are absent")
    set_tests_properties(plugin_${name} PROPERTIES LABELS serve SKIP_REGULAR_EXPRESSION "skipped: ")
  endif()
endfunction()

# rival_test(TARGET LABEL label SOURCES files... DEPENDS targets...): one GoogleTest program.
function(rival_test target)
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_compile_options(${target} PRIVATE ${RIVAL_WARNINGS})
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE RIVAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${target} TEST_FILTER "-*Slow.*" PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300
                       DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
  gtest_discover_tests(${target} TEST_FILTER "*Slow.*" TEST_SUFFIX "" TEST_LIST ${target}_slow
                       PROPERTIES LABELS "slow" TIMEOUT 1800 DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60)
endfunction()

# rival_fuzz(TARGET LABEL label SOURCE file DEPENDS targets...): one LLVMFuzzerTestOneInput. With RIVAL_FUZZ (and clang)
# it is a libFuzzer program; otherwise, with RIVAL_TESTS, tests/fuzz_main.cpp drives it: a short, seeded run in ctest.
# Starting inputs: the files in tests/corpus/<TARGET>, if there are any.
function(rival_fuzz target)
  cmake_parse_arguments(arg "" "LABEL;SOURCE" "DEPENDS" ${ARGN})
  if(NOT RIVAL_FUZZ AND NOT RIVAL_TESTS)
    return()
  endif()
  add_executable(${target} ${arg_SOURCE})
  target_compile_options(${target} PRIVATE ${RIVAL_WARNINGS})
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS})
  if(RIVAL_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${target})
  else()
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz_main.cpp)
    add_test(NAME ${target} COMMAND ${target} ${PROJECT_SOURCE_DIR}/tests/corpus/${target})
    set_tests_properties(${target} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 300)
  endif()
endfunction()

# rival_embed(TARGET files...): the files' text as strings in TARGET: `rival::embedded::NAME`, a std::string_view, where
# NAME is the file's name with an underscore for each character that no identifier has (watch.html: watch_html). Whoever
# uses one declares it.
function(rival_embed target)
  foreach(file ${ARGN})
    get_filename_component(file ${file} ABSOLUTE)
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} identifier)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    set(source "// Written by CMake from ${name}.\n#include <string_view>\nnamespace rival::embedded {
extern const std::string_view ${identifier};
const std::string_view ${identifier} = R\"rival_embed(${text})rival_embed\";
}  // namespace rival::embedded\n")
    set(path ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.cpp)
    set(old "")
    if(EXISTS ${path})
      file(READ ${path} old)
    endif()
    if(NOT source STREQUAL old)
      file(WRITE ${path} "${source}")
    endif()
    target_sources(${target} PRIVATE ${path})
  endforeach()
endfunction()
