# cmake -DOUT=FILE -P commit.cmake: writes the commit that is built as a header, which changes only when the commit does.
execute_process(COMMAND git describe --always --dirty WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(commit)
  set(commit ", ${commit}")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define MUSTER_COMMIT \"${commit}\"\n")
