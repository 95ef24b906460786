# cmake -DSIZE=size -DOBJECT=x.o -DOUT=x.hpp -P object_size.cmake: the bytes of an object's code, constants and data, as
# binutils' `size` counts them; 0 without it.
set(bytes 0)
if(SIZE)
  execute_process(COMMAND ${SIZE} ${OBJECT} OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(NOT failed AND text MATCHES "\n[ \t]*[0-9]+[ \t]+[0-9]+[ \t]+[0-9]+[ \t]+([0-9]+)")
    set(bytes ${CMAKE_MATCH_1})
  endif()
endif()
file(WRITE ${OUT} "// Written by CMake.\n#pragma once\ninline constexpr long long kRuntimeObjectBytes = ${bytes};\n")
