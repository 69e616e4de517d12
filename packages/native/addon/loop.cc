#include "loop.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "denials.h"
#include "system_failure.h"

namespace pyisolate {
namespace {

class Reaper final : public LoopResident, public Watcher, public std::enable_shared_from_this<Reaper> {
 public:
  Reaper(Loop& loop, UniqueFd pidfd, pid_t pid) : loop_(loop), process_(std::move(pidfd)), pid_(pid) {}

  void start() {
    loop_.note_pid(pid_);
    if (process_.try_reap()) return loop_.forget_pid(pid_);
    loop_.watch(process_.pidfd(), EPOLLIN, *this);
    loop_.add(shared_from_this());
  }
  void on_events(std::uint32_t) override {
    if (!process_.try_reap()) return;
    const auto keep = shared_from_this();
    loop_.unwatch(process_.pidfd(), *this);
    loop_.forget_pid(pid_);
    loop_.remove(keep);
  }
  void shut_down() override { process_.kill_and_reap(); }

 private:
  Loop& loop_;
  Process process_;
  pid_t pid_;
};

// Since the last spawn: then there is time to make a key pair.
constexpr unsigned long kQuietMs = 2;

template <typename Handle>
Handle* allocate(int type) {
  void* memory = std::calloc(1, uv_handle_size(type));
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<Handle*>(memory);
}

}  // namespace

std::shared_ptr<Loop> Loop::create(uv_loop_s* uv) {
  std::shared_ptr<Loop> loop(new Loop);
  loop->epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_) throw SystemFailure("epoll_create1");
  loop->poll_ = allocate<uv_poll_s>(kUvPoll);
  loop->idle_ = allocate<uv_idle_s>(kUvIdle);
  loop->timer_ = allocate<uv_timer_s>(kUvTimer);
  loop->look_out_ = std::make_unique<LookOut>();
  if (const int error = uv_poll_init(uv, loop->poll_, loop->epoll_.get()); error != 0)
    throw SystemFailure("uv_poll_init", -error);
  uv_idle_init(uv, loop->idle_);
  uv_timer_init(uv, loop->timer_);
  loop->look_out_->start(uv);
  loop->open_handles_ = 4;
  loop->self_ = loop;
  loop->running_ = true;
  uv_handle_set_data(loop->poll_handle(), loop.get());
  uv_handle_set_data(loop->idle_handle(), loop.get());
  uv_handle_set_data(loop->timer_handle(), loop.get());
  uv_handle_set_data(loop->look_out_->handle(), loop.get());
  uv_unref(loop->poll_handle());
  uv_unref(loop->idle_handle());
  uv_unref(loop->timer_handle());
  const int error = uv_poll_start(loop->poll_, kUvReadable, [](uv_poll_s* handle, int, int) {
    static_cast<Loop*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(handle)))->dispatch();
  });
  if (error != 0) {
    loop->shut_down([] {});
    throw SystemFailure("uv_poll_start", -error);
  }
  return loop;
}

Loop::~Loop() {
  std::free(poll_);
  std::free(idle_);
  std::free(timer_);
}

void Loop::watch(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &watcher;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw SystemFailure("epoll_ctl");
}

void Loop::change(int fd, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &watcher;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::unwatch(int fd, Watcher& watcher) {
  // Explicitly: closing isn't enough while another process holds the same open file.
  if (epoll_) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (int i = 0; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watcher) batch_[i].data.ptr = nullptr;
  }
}

void Loop::dispatch() {
  const auto keep = shared_from_this();
  const int count = ::epoll_wait(epoll_.get(), batch_.data(), kBatch, 0);
  batch_size_ = std::max(count, 0);
  // A callback may unwatch others of this batch: their entry is then empty.
  for (int i = 0; i < batch_size_ && running_; ++i) {
    if (auto* watcher = static_cast<Watcher*>(batch_[i].data.ptr)) watcher->on_events(batch_[i].events);
  }
  batch_size_ = 0;
}

void Loop::defer(Deferred& work) {
  if (work.deferred || !running_) return;
  work.deferred = true;
  deferred_.push_back(&work);
  if (deferred_.size() > 1 || !current_.empty()) return;
  // An active idle handle makes libuv poll without waiting, so other descriptors get their turn in between.
  uv_idle_start(idle_, [](uv_idle_s* handle) {
    static_cast<Loop*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(handle)))->run_deferred();
  });
}

void Loop::cancel(Deferred& work) {
  if (!work.deferred) return;
  work.deferred = false;
  std::erase(deferred_, &work);
  std::replace(current_.begin(), current_.end(), &work, static_cast<Deferred*>(nullptr));
}

void Loop::run_deferred() {
  const auto keep = shared_from_this();
  current_.swap(deferred_);
  for (std::size_t i = 0; i < current_.size() && running_; ++i) {
    Deferred* work = current_[i];
    if (work == nullptr) continue;
    work->deferred = false;
    current_[i] = nullptr;
    work->run_deferred();
  }
  current_.clear();
  if (deferred_.empty() && running_) uv_idle_stop(idle_);
}

void Loop::ref() {
  if (refs_++ == 0 && running_) {
    uv_ref(poll_handle());
    uv_ref(idle_handle());
  }
}

void Loop::unref() {
  if (--refs_ == 0 && running_) {
    uv_unref(poll_handle());
    uv_unref(idle_handle());
  }
}

Denials& Loop::denials() {
  if (!denials_) {
    auto denials = std::make_unique<Denials>();
    watch(denials->events()->bell(), EPOLLIN, *denials);
    denials_ = std::move(denials);
  }
  return *denials_;
}

void Loop::reap_later(UniqueFd pidfd, pid_t pid) {
  if (!pidfd) return;
  auto reaper = std::make_shared<Reaper>(*this, std::move(pidfd), pid);
  if (!running_) return reaper->shut_down();
  reaper->start();
}

seal::KeyPair Loop::take_keys() {
  if (!keys_) return seal::KeyPair::generate();
  auto keys = std::move(*keys_);
  keys_.reset();
  return keys;
}

void Loop::prepare_keys() {
  if (keys_ || !running_) return;
  uv_timer_start(
      timer_,
      [](uv_timer_s* handle) {
        auto* loop = static_cast<Loop*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(handle)));
        if (loop->keys_) return;
        try {
          loop->keys_ = seal::KeyPair::generate();
        } catch (const seal::CryptoFailure&) {
          // Whoever needs a pair makes it, and says why it can't.
        }
      },
      kQuietMs, 0);
}

void Loop::shut_down(std::function<void()> closed) {
  if (!running_) return closed();
  closed_ = std::move(closed);
  running_ = false;
  auto residents = std::move(residents_);
  residents_.clear();
  for (const auto& resident : residents) resident->shut_down();
  uv_idle_stop(idle_);
  uv_close(idle_handle(), on_closed);
  uv_close(poll_handle(), on_closed);
  uv_close(timer_handle(), on_closed);
  look_out_->stop();
  uv_close(look_out_->handle(), on_closed);
}

void Loop::on_closed(uv_handle_s* handle) {
  auto* loop = static_cast<Loop*>(uv_handle_get_data(handle));
  if (--loop->open_handles_ > 0) return;
  const auto self = std::move(loop->self_);
  self->epoll_.reset();
  if (self->closed_) self->closed_();
}

}  // namespace pyisolate
