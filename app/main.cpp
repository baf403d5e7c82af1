#include "app/program.h"
#include "base/log.h"

int main(int argc, char** argv) {
  const auto code = static_cast<int>(cmpost::run_program(argc, argv));
  cmpost::log::flush(std::chrono::milliseconds(500));
  return code;
}
