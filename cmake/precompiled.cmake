# Precompiled headers halve the compile time of most files. They are for the sanitizer builds only: with them a file
# that forgets an include compiles all the same, so the release build goes without and shows it.
option(MUSTER_PCH "Precompiled headers" OFF)

function(muster_precompile target)
  if(MUSTER_PCH)
    target_precompile_headers(${target} REUSE_FROM muster_precompiled)
  endif()
endfunction()
function(muster_precompile_test target)
  if(MUSTER_PCH)
    target_precompile_headers(${target} REUSE_FROM muster_precompiled_test)
  endif()
endfunction()

if(MUSTER_PCH)
  set(standard <algorithm> <chrono> <cstdint> <functional> <map> <memory> <optional> <string> <string_view>
      <unordered_map> <variant> <vector> <fmt/format.h> <tl/expected.hpp>)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cc CONTENT "")
  add_library(muster_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_link_libraries(muster_precompiled PRIVATE muster_flags)
  target_precompile_headers(muster_precompiled PRIVATE ${standard})
  add_library(muster_precompiled_test OBJECT ${PROJECT_BINARY_DIR}/precompiled.cc)
  target_link_libraries(muster_precompiled_test PRIVATE muster_flags)
  target_precompile_headers(muster_precompiled_test PRIVATE ${standard} <catch2/catch.hpp>)
endif()
