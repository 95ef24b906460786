# Makes a run with a dial in an empty FOLDER with RIVAL; PROGRAM must then play at its ratings, and tell a name that means
# nothing from a run that has no dial.
file(REMOVE_RECURSE ${FOLDER})
set(run ${FOLDER}/x)
execute_process(COMMAND ${RIVAL} train tic_tac_toe --steps 1e5 --hidden 32x32 --out ${run} OUTPUT_QUIET
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} ${run}@1050 random ERROR_VARIABLE error RESULT_VARIABLE code)
if(NOT code EQUAL 1 OR NOT error MATCHES "has no ladder yet")
  message(FATAL_ERROR "without a ladder: ${code} ${error}")
endif()
execute_process(COMMAND ${RIVAL} ladder ${run} --target-se 25 --calibrate --levels 2 --level-matches 100 OUTPUT_QUIET
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} ${run}@1050 ${run}@1200 OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
message("${output}")
if(NOT output MATCHES "^0[.][0-4]")
  message(FATAL_ERROR "the weaker one is not weaker")
endif()
execute_process(COMMAND ${PROGRAM} ${run}@1050 randm ERROR_VARIABLE error RESULT_VARIABLE code)
if(NOT code EQUAL 2 OR NOT error MATCHES "did you mean 'random'")
  message(FATAL_ERROR "a name that means nothing: ${code} ${error}")
endif()
