// The few libuv declarations that the addon needs. Node exports these functions and keeps their ABI
// (the enumerators included) over all of libuv 1.x, but uv.h itself comes neither with Node-API's header
// package nor with every installation of Node; handles are therefore sized at run time. Where a uv.h is
// found at build time, uv_check.cc holds this file against it.
#pragma once

#include <cstddef>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;
struct uv_prepare_s;
struct uv_idle_s;
struct uv_timer_s;

using uv_lite_close_cb = void (*)(uv_handle_s*);
using uv_lite_poll_cb = void (*)(uv_poll_s*, int status, int events);
using uv_lite_idle_cb = void (*)(uv_idle_s*);
using uv_lite_prepare_cb = void (*)(uv_prepare_s*);
using uv_lite_timer_cb = void (*)(uv_timer_s*);

#ifndef PYISOLATE_UV_CHECK
std::size_t uv_handle_size(int type);
void* uv_handle_get_data(const uv_handle_s*);
void uv_handle_set_data(uv_handle_s*, void*);
void uv_close(uv_handle_s*, uv_lite_close_cb);
void uv_ref(uv_handle_s*);
void uv_unref(uv_handle_s*);
int uv_poll_init(uv_loop_s*, uv_poll_s*, int fd);
int uv_poll_start(uv_poll_s*, int events, uv_lite_poll_cb);
int uv_idle_init(uv_loop_s*, uv_idle_s*);
int uv_idle_start(uv_idle_s*, uv_lite_idle_cb);
int uv_idle_stop(uv_idle_s*);
int uv_prepare_init(uv_loop_s*, uv_prepare_s*);
int uv_prepare_start(uv_prepare_s*, uv_lite_prepare_cb);
int uv_prepare_stop(uv_prepare_s*);
int uv_timer_init(uv_loop_s*, uv_timer_s*);
int uv_timer_start(uv_timer_s*, uv_lite_timer_cb, unsigned long timeout_ms, unsigned long repeat_ms);
#endif
}

namespace pyisolate {
inline constexpr int kUvIdle = 6;
inline constexpr int kUvPoll = 8;
inline constexpr int kUvPrepare = 9;
inline constexpr int kUvTimer = 13;
inline constexpr int kUvReadable = 1;
}  // namespace pyisolate
