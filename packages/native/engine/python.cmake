# Finds the parts of a free-threaded CPython under PYISOLATE_PYTHON_PREFIX by asking its own sysconfig,
# and offers them as the interface target pyisolate_python.
set(python_exe "${PYISOLATE_PYTHON_PREFIX}/bin/python3.13t")
execute_process(
  COMMAND "${python_exe}" -I -S -c "
import os, platform, sysconfig as s
v = s.get_config_var
print(platform.python_version(), s.get_path('include'), os.path.dirname(os.__file__), v('LIBDIR') + '/' + v('LIBRARY'),
      ' '.join((v('MODLIBS') or '', v('LIBS') or '', v('SYSLIBS') or '')), sep='|')"
  OUTPUT_VARIABLE facts OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${python_exe} does not run: ${failed}")
endif()
string(REPLACE "|" ";" facts "${facts}")
list(GET facts 0 PYISOLATE_PYTHON_VERSION)
list(GET facts 1 python_include)
list(GET facts 2 PYISOLATE_PYTHON_STDLIB)
list(GET facts 3 python_library)
list(GET facts 4 python_flags)
if(NOT EXISTS "${python_library}")
  message(FATAL_ERROR "${python_library} is missing: the engine links CPython statically")
endif()

separate_arguments(python_flags UNIX_COMMAND "${python_flags}")
list(REMOVE_DUPLICATES python_flags)
set(python_libraries "")
foreach(flag IN LISTS python_flags)
  if(flag MATCHES "^-l(m|dl|pthread|util)$")
    list(APPEND python_libraries "${flag}")
  elseif(flag MATCHES "^-l(.+)$")
    # Static where the distribution has it: fewer mappings make a cheaper fork.
    set(name "${CMAKE_MATCH_1}")
    find_library(python_lib_${name} NAMES lib${name}.a ${name} REQUIRED)
    if(python_lib_${name} MATCHES "\\.a$")
      # Debian 13's OpenSSL can compress with zstd, whose static library it doesn't bring along. libssl goes with
      # libcrypto: one half static and the other shared don't fit.
      string(REPLACE "libssl.a" "libcrypto.a" witness "${python_lib_${name}}")
      file(STRINGS "${witness}" foreign REGEX "ZSTD_compress" LIMIT_COUNT 1)
      if(foreign)
        find_library(python_shared_${name} NAMES ${name} REQUIRED)
        set(python_lib_${name} "${python_shared_${name}}")
      endif()
    endif()
    list(APPEND python_libraries "${python_lib_${name}}")
  elseif(flag MATCHES "\\.a$")
    # Built inside CPython's own tree; set-up keeps a copy beside the library.
    get_filename_component(base "${flag}" NAME)
    if(NOT EXISTS "${PYISOLATE_PYTHON_PREFIX}/lib/${base}")
      message(FATAL_ERROR "${PYISOLATE_PYTHON_PREFIX}/lib/${base} is missing")
    endif()
    list(APPEND python_libraries "${PYISOLATE_PYTHON_PREFIX}/lib/${base}")
  endif()
endforeach()

find_package(Threads REQUIRED)
add_library(pyisolate_python INTERFACE)
target_include_directories(pyisolate_python SYSTEM INTERFACE "${python_include}" "${python_include}/internal")
target_link_libraries(pyisolate_python INTERFACE "${python_library}" ${python_libraries} Threads::Threads m dl)
target_link_options(pyisolate_python INTERFACE -rdynamic)
