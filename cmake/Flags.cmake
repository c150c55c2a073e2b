# All compiler flags of our own code, on one target. Dependencies never link it.
add_library(flags INTERFACE)
target_compile_definitions(flags INTERFACE _GNU_SOURCE)
target_include_directories(flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum
  -fno-common -fno-omit-frame-pointer -fstack-protector-strong
  # RelWithDebInfo defines NDEBUG; our invariants are checked in release builds too.
  -UNDEBUG)
if(WERROR)
  target_compile_options(flags INTERFACE -Werror)
endif()
if(SANITIZE)
  target_compile_options(flags INTERFACE -fsanitize=${SANITIZE} -fno-sanitize-recover=all)
  target_link_options(flags INTERFACE -fsanitize=${SANITIZE})
endif()
if(FUZZ)
  # Coverage in every module, or libFuzzer finds nothing interesting.
  target_compile_options(flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The hot path crosses many small modules: link-time optimisation takes about a fifth off the user time
# per operation. Fat objects, so that tests link as before; only the programs pay for the longer link.
set(LTO OFF)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT SANITIZE)
  set(LTO ON)
  target_compile_options(flags INTERFACE -flto=auto -ffat-lto-objects)
  target_link_options(flags INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:LINK_WITH_LTO>>,-flto=auto,-fno-lto>)
endif()
