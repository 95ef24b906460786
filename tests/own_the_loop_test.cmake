# Runs PROGRAM in an empty FOLDER: it must learn to beat random play, and go on from what it saved.
set(good "against random (0[.]9[5-9]|1[.]0)[^\n]*\n$")

file(REMOVE_RECURSE ${FOLDER})
foreach(steps 1 300000 500000)
  execute_process(COMMAND ${PROGRAM} ${steps} ${FOLDER} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  message("${output}")
  if(steps EQUAL 1 AND output MATCHES "${good}")  # the control
    message(FATAL_ERROR "it plays well after a single iteration: the measure measures nothing")
  elseif(steps GREATER 1 AND NOT output MATCHES "${good}")
    message(FATAL_ERROR "it did not learn")
  endif()
endforeach()
if(output MATCHES "(^|\n) *1[0-9][0-9][0-9][0-9][0-9] steps")
  message(FATAL_ERROR "the last run began anew")
endif()
