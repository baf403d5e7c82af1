# The build rules that every folder shares.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

option(CMPOST_WERROR "Treat warnings as errors" OFF)
option(CMPOST_FUZZ "Link the fuzz targets with libFuzzer (clang)" OFF)
option(CMPOST_UNITY "Compile about ten sources at once: a build from nothing takes a quarter of the time" ON)
set(CMPOST_PROFILE "" CACHE STRING "make: what is built writes a profile; use: it is built by one (scripts/build-tuned.sh)")
set(CMPOST_SANITIZE "" CACHE STRING "Sanitizers, for instance address,undefined or thread")

add_library(cmpost_flags INTERFACE)
target_compile_options(cmpost_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -fstack-protector-strong $<$<BOOL:${CMPOST_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # With optimisation GCC 12 finds an "uninitialized" alternative in every std::variant and
  # std::optional that is moved, and std::string's copies "out of bounds" (GCC bugs 80635, 105329 and
  # their many duplicates). Clang and the sanitizers look for the real ones.
  target_compile_options(cmpost_flags INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds
    -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(CMPOST_SANITIZE)
  target_compile_options(cmpost_flags INTERFACE
    -fsanitize=${CMPOST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # A check at every access to a member: a third of the compile time for what ASan (null) and the
    # fuzz preset (both) report, too.
    target_compile_options(cmpost_flags INTERFACE -fno-sanitize=null,alignment)
  endif()
  target_link_options(cmpost_flags INTERFACE -fsanitize=${CMPOST_SANITIZE})
endif()

if(CMPOST_PROFILE STREQUAL make)
  # Counted by several threads.
  target_compile_options(cmpost_flags INTERFACE -fprofile-generate -fprofile-update=atomic)
  target_link_options(cmpost_flags INTERFACE -fprofile-generate)
elseif(CMPOST_PROFILE STREQUAL use)
  # Most of the program does not run while a profile is made.
  target_compile_options(cmpost_flags INTERFACE
    -fprofile-use -fprofile-correction -Wno-missing-profile -Wno-coverage-mismatch)
elseif(CMPOST_PROFILE)
  message(FATAL_ERROR "CMPOST_PROFILE is \"make\", \"use\" or empty, not \"${CMPOST_PROFILE}\"")
endif()

# What most sources cost is the instantiation of the same templates.
set(CMAKE_UNITY_BUILD ${CMPOST_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 10)

find_program(CMPOST_MOLD mold)
if(CMPOST_MOLD)
  # By path of the linker wrapper: g++ 12 knows -fuse-ld=mold.
  target_link_options(cmpost_flags INTERFACE -fuse-ld=mold)
endif()
find_program(CMPOST_CCACHE ccache)
if(CMPOST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache must be told about precompiled headers, see its manual.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    ${CMPOST_CCACHE})
endif()

# cmpost_precompile(<target> <name>): compiles <target> with the precompiled header cmake/<name>.h,
# which is made once.
function(cmpost_precompile target name)
  if(NOT TARGET cmpost_${name})
    add_library(cmpost_${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
    target_include_directories(cmpost_${name} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(cmpost_${name} PRIVATE cmpost_flags ${ARGN})
    target_precompile_headers(cmpost_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/${name}.h)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      target_compile_options(cmpost_${name} PRIVATE -fpch-preprocess)
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM cmpost_${name})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# cmpost_library(<folder> [PRIVATE lib ...] [PUBLIC lib ...])
# Defines cmpost::<folder> from every .cpp of the folder; a folder within another ("crypto/keys") is
# cmpost::crypto_keys. Other folders are linked from the file DEPS beside the sources (folder names; #
# starts a comment), so that the rule that a test checks is the one that the build follows.
function(cmpost_library folder)
  cmake_parse_arguments(ARG "" "" "PRIVATE;PUBLIC" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(here ${CMAKE_SOURCE_DIR}/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${here}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  file(GLOB headers CONFIGURE_DEPENDS ${here}/*.h)
  add_library(cmpost_${name} STATIC ${sources})
  add_library(cmpost::${name} ALIAS cmpost_${name})
  string(REGEX REPLACE "/.*" "" house ${folder})
  set_property(GLOBAL APPEND PROPERTY CMPOST_ROOMS_${house} cmpost::${name})
  target_sources(cmpost_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${headers})
  set_target_properties(cmpost_${name} PROPERTIES
    LINKER_LANGUAGE CXX VERIFY_INTERFACE_HEADER_SETS ON)
  target_include_directories(cmpost_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(cmpost_${name} PUBLIC cmpost_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  cmpost_precompile(cmpost_${name} pch tl::expected Threads::Threads)
  cmpost_read_deps(${folder} deps)
  foreach(dep ${deps})
    string(REPLACE "/" "_" dep ${dep})
    target_link_libraries(cmpost_${name} PUBLIC cmpost::${dep})
  endforeach()
endfunction()

# cmpost_rooms(<folder> <out>): the libraries of a folder and of the rooms within it, for its tests.
function(cmpost_rooms folder out)
  get_property(rooms GLOBAL PROPERTY CMPOST_ROOMS_${folder})
  set(${out} ${rooms} PARENT_SCOPE)
endfunction()

function(cmpost_read_deps folder out)
  set(file ${CMAKE_SOURCE_DIR}/${folder}/DEPS)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines)
  set(deps "")
  foreach(line ${lines})
    string(REGEX REPLACE "#.*" "" line "${line}")
    string(REGEX MATCHALL "[a-z0-9_/]+" words "${line}")
    list(APPEND deps ${words})
  endforeach()
  set(${out} ${deps} PARENT_SCOPE)
endfunction()
