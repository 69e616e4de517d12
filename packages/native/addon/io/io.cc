#include "io.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include <system_error>

#include "../system_failure.h"

namespace pyisolate::io {

Io::Io(std::shared_ptr<Loop> loop, std::unique_ptr<IoEvents> events)
    : loop_(std::move(loop)),
      events_(std::move(events)),
      mailbox_(std::make_shared<Mailbox>()),
      workers_(std::make_shared<Workers>()),
      outbox_(std::make_shared<Outbox>()),
      counters_(std::make_shared<Counters>()),
      next_handle_(std::make_shared<std::atomic<std::uint64_t>>(1)),
      driver_(std::make_unique<Driver>(mailbox_, workers_, outbox_, counters_, next_handle_)) {}

std::shared_ptr<Io> Io::create(std::shared_ptr<Loop> loop, Choice choice, std::unique_ptr<IoEvents> events) {
  std::shared_ptr<Io> io(new Io(std::move(loop), std::move(events)));
  std::promise<Started> promise;
  auto future = promise.get_future();
  // Signals are Node's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    io->thread_ = std::thread(
        [raw = io.get(), choice, promise = std::move(promise)]() mutable { raw->main(choice, std::move(promise)); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) throw SystemFailure("pthread_create", error);
  const Started started = future.get();
  if (started.error != 0) {
    io->thread_.join();
    throw SystemFailure(started.call, started.error);
  }
  io->backend_ = started.backend;
  io->refusal_ = started.refusal;
  io->open_ = true;
  io->loop_->watch(io->outbox_->bell(), EPOLLIN, *io);
  io->loop_->add(io);
  return io;
}

Io::~Io() {
  if (thread_.joinable()) shut_down();
}

void Io::main(Choice choice, std::promise<Started> started) {
  prctl(PR_SET_NAME, "pyisolate-io");
  Started how;
  std::unique_ptr<Backend> backend;
  const auto attempt = [&](auto&& make) {
    try {
      backend = make();
    } catch (const SystemFailure& failure) {
      how.error = failure.error();
      how.call = failure.what();
    }
  };
  if (choice != Choice::epoll) attempt([&] { return make_uring(mailbox_, *driver_); });
  if (!backend && choice != Choice::uring) {
    how.refusal = std::exchange(how.error, 0);
    attempt([&] { return make_epoll(mailbox_, workers_, *driver_); });
  }
  if (backend) how.backend = backend->name();
  const bool ok = backend != nullptr;
  if (ok) driver_->use(std::move(backend));
  started.set_value(how);
  if (ok) driver_->run();
}

void Io::post(std::function<void(Driver&)> command) {
  if (!open_) return;
  mailbox_->post([driver = driver_.get(), command = std::move(command)] { command(*driver); });
}

void Io::on_events(std::uint32_t) {
  if (!open_) return;
  const auto keep = shared_from_this();
  auto reports = outbox_->take();
  if (!reports.empty()) events_->reports(std::move(reports));
}

void Io::ref() {
  if (std::exchange(referenced_, true) || !open_) return;
  loop_->ref();
}

void Io::unref() {
  if (!std::exchange(referenced_, false) || !open_) return;
  loop_->unref();
}

void Io::shut_down() {
  if (!thread_.joinable()) return;
  const auto keep = weak_from_this().lock();
  unref();
  if (open_) {
    loop_->unwatch(outbox_->bell(), *this);
    open_ = false;
  }
  workers_->stop();
  mailbox_->post([driver = driver_.get()] { driver->stop(); });
  thread_.join();
  // What the kernel still holds on to, a read of a disk that hangs, must find its memory.
  if (driver_->busy()) (void)driver_.release();
  driver_.reset();
  // Now, not when JavaScript's garbage is collected: each holds a descriptor.
  mailbox_.reset();
  outbox_.reset();
  if (keep) loop_->remove(keep);
}

}  // namespace pyisolate::io
