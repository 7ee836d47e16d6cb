# ccache where it is there. With these settings a clone in another folder finds what the first one compiled: paths
# below the project count as relative, and the debug information names them so.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=time_macros,pch_defines
      ${CCACHE})
endif()
# Objects do not know the folder they were made in.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
