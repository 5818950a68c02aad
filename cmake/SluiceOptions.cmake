# How everything is compiled.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
option(SLUICE_WERROR "Treat warnings as errors" OFF)
option(SLUICE_FUZZ "Link fuzz targets with libFuzzer (clang) instead of the replay main" OFF)
set(SLUICE_SANITIZE "" CACHE STRING "e.g. address,undefined or thread")
option(SLUICE_SERVER_TESTS "Register the tests that start real servers" ON)

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SLUICE_CCACHE})
endif()

find_package(Threads REQUIRED)
add_library(sluice_flags INTERFACE)
target_compile_options(sluice_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough -Wunused-result
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<BOOL:${SLUICE_WERROR}>:-Werror>)
# gcc's null-dereference and stringop warnings see ghosts in the inlined standard library under sanitizers.
if(SLUICE_SANITIZE)
  target_compile_options(sluice_flags INTERFACE -Wno-null-dereference $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overflow>)
endif()
target_compile_definitions(sluice_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
target_link_libraries(sluice_flags INTERFACE Threads::Threads)

if(SLUICE_SANITIZE)
  # -g1: the lines of a report's stack, no more, for the compiler is what these builds wait for
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()

# What nearly every file reads anyway, read once for a target.  Under sanitizers alone: elsewhere each file shows by compiling that
# it includes what it needs.
function(sluice_precompile target)
  if(SLUICE_SANITIZE AND NOT SLUICE_FUZZ)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstdint> <cstring> <deque>
      <filesystem> <functional> <map> <memory> <mutex> <optional> <set> <span> <stop_token> <string> <string_view> <thread> <tuple> <utility>
      <variant> <vector> ${ARGN})
  endif()
endfunction()
