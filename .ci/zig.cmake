# A CMake toolchain for any target of targets.mjs: zig's C++ compiler brings the libraries and the linker of them all.
# PACKED_LSTM_ZIG is the program, PACKED_LSTM_ZIG_TARGET the machine in zig's words; prebuild.mjs gives both.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PACKED_LSTM_ZIG PACKED_LSTM_ZIG_TARGET)

string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${PACKED_LSTM_ZIG_TARGET}")
if(PACKED_LSTM_ZIG_TARGET MATCHES "-linux-")
  set(CMAKE_SYSTEM_NAME Linux)
elseif(PACKED_LSTM_ZIG_TARGET MATCHES "-macos")
  set(CMAKE_SYSTEM_NAME Darwin)
  set(CMAKE_INSTALL_NAME_TOOL true) # nothing is installed; CMake only insists on having one
elseif(PACKED_LSTM_ZIG_TARGET MATCHES "-windows-")
  set(CMAKE_SYSTEM_NAME Windows)
  set(CMAKE_RC_COMPILER true) # nor is there a resource file
endif()

set(CMAKE_CXX_COMPILER "${PACKED_LSTM_ZIG}" c++ -target ${PACKED_LSTM_ZIG_TARGET})
set(CMAKE_AR "${PACKED_LSTM_ZIG}")
set(CMAKE_RANLIB "${PACKED_LSTM_ZIG}")
