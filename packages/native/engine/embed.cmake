# Writes text files into a header as `inline constexpr char kSource_<name>[]`, in pieces that a compiler takes.
set(text "#pragma once\n\n")
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(READ "${file}" body HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${body}")
  string(APPEND text "inline constexpr char kSource_${name}[] = {${bytes}0};\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
