# How everything is compiled in a build for fuzzing. -O1: the sanitizers cost more than the
# optimiser saves. A finding ends the process, so that libFuzzer keeps its input.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "libFuzzer is clang's: -DCMAKE_CXX_COMPILER=clang++-14")
endif()
add_compile_options(-O1 -gline-tables-only -fno-omit-frame-pointer)
if(ONSET_FUZZ STREQUAL "coverage")
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
else()
  # Without the checks of UBSan that ASan's traps make good: they are a third of the build.
  set(sanitizers address,undefined)
  add_compile_options(-fsanitize=fuzzer-no-link,${sanitizers} -fno-sanitize=null,object-size,vptr
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${sanitizers})
endif()
