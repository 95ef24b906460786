# What `cmake --install` puts where: the program, and for programs outside the libraries, the headers in a folder of
# their own (include/rival, which is what compilers are told to search), `find_package(rival)`, and `pkg-config rival` for
# games as shared libraries, which need headers only.
include(CMakePackageConfigHelpers)

set(headers ${CMAKE_INSTALL_INCLUDEDIR}/rival)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/rival)
get_property(libraries GLOBAL PROPERTY RIVAL_LIBRARIES)
foreach(library ${libraries})
  target_include_directories(${library} INTERFACE $<INSTALL_INTERFACE:${headers}>)
endforeach()

install(TARGETS rival)
get_property(plugins GLOBAL PROPERTY RIVAL_PLUGINS)
if(plugins)
  install(TARGETS ${plugins} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/rival)
endif()
install(TARGETS ${libraries} EXPORT rival)
install(DIRECTORY include/ DESTINATION ${headers})
install(DIRECTORY src/ DESTINATION ${headers} FILES_MATCHING PATTERN *.hpp
        PATTERN cli EXCLUDE PATTERN temporary_folder.hpp EXCLUDE PATTERN faulty_file_system.hpp EXCLUDE PATTERN sample_*.hpp EXCLUDE
        PATTERN awaiting.hpp EXCLUDE)
install(FILES src/cli/cli.hpp DESTINATION ${headers}/cli)
install(DIRECTORY games DESTINATION ${headers} FILES_MATCHING PATTERN *.hpp)

# What games in Python need, for the program to find.
install(DIRECTORY sdk/python/src/rival DESTINATION ${CMAKE_INSTALL_DATADIR}/rival/python FILES_MATCHING PATTERN *.py
        PATTERN py.typed)

# What games take along (docs/ship-a-bot.md).
install(FILES runtime/rival_runtime.c runtime/rival_runtime.h DESTINATION ${CMAKE_INSTALL_DATADIR}/rival/runtime)

install(EXPORT rival NAMESPACE rival:: FILE rival-targets.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rival-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/rival-config.cmake ${PROJECT_BINARY_DIR}/rival-config-version.cmake DESTINATION ${package})

file(RELATIVE_PATH to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/rival.pc.in ${PROJECT_BINARY_DIR}/rival.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/rival.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
