// Compiled only where a uv.h was found: fails the build if uv_lite.h has drifted from it.
#define PYISOLATE_UV_CHECK
#include "uv_lite.h"

#include <uv.h>

#include <type_traits>

static_assert(pyisolate::kUvIdle == UV_IDLE && pyisolate::kUvPoll == UV_POLL && pyisolate::kUvPrepare == UV_PREPARE);
static_assert(pyisolate::kUvReadable == UV_READABLE && UV_VERSION_MAJOR == 1);
static_assert(std::is_same_v<uv_lite_close_cb, uv_close_cb> && std::is_same_v<uv_lite_poll_cb, uv_poll_cb> &&
              std::is_same_v<uv_lite_idle_cb, uv_idle_cb> && std::is_same_v<uv_lite_prepare_cb, uv_prepare_cb>);
static_assert(std::is_same_v<decltype(&uv_poll_init), int (*)(uv_loop_s*, uv_poll_s*, int)>);
static_assert(std::is_same_v<decltype(&uv_poll_start), int (*)(uv_poll_s*, int, uv_lite_poll_cb)>);
