#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "host_segment.h"
#include "seal/records.h"

namespace pyisolate {

class Loop;

// Takes the frames that a FrameChannel reads.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Memory for the payload of the frame about to be delivered; nullptr stops reading.
  virtual std::uint8_t* allocate(std::size_t bytes) = 0;
  // Returns false to stop reading after this frame.
  virtual bool deliver(std::uint8_t type, std::uint64_t id) = 0;
};

// Frames over the two rings of a segment, the supervisor's side. The peer is hostile: its positions and
// lengths are checked, and memory for a frame is taken as its bytes arrive. Loop thread only.
class FrameChannel {
 public:
  enum class Drain { empty, budget, stopped, corrupt };

  // Throws SystemFailure, seal::CryptoFailure. A sealed one gets its key pair from `loop`.
  static std::unique_ptr<FrameChannel> create(std::uint32_t ring_bytes, std::uint32_t max_frame_bytes,
                                              std::optional<seal::Form> form, Loop& loop);
  // `keys`: of this sandbox alone, for a sealed segment. The hello is in the ring afterwards.
  FrameChannel(HostSegment segment, std::uint32_t max_frame_bytes, std::optional<seal::Form> form,
               std::optional<seal::KeyPair> keys);

  HostSegment& segment() { return segment_; }
  // How it is sealed, if it is.
  std::optional<seal::Form> form() const { return form_; }
  void limit_frames(std::uint32_t bytes) { max_frame_ = bytes; }

  // Writes the frame, or queues what doesn't fit. It waits unsealed, in this process, until the cell has said hello,
  // and a message until the guest has taken enough of those before it.
  void send(std::uint8_t type, std::uint64_t id, const std::uint8_t* payload, std::uint32_t length);
  // Writes what waits as far as there is room; afterwards the cell will ring when there is more.
  void flush();
  std::size_t queued_bytes() const { return queued_ + unsealed_bytes_ + held_bytes_; }

  // Delivers frames until there are none, the sink says stop or the budget is used up. After `empty` the
  // cell will ring when there is more.
  Drain drain(FrameSink& sink);
  // Whether there are bytes to be read (or a position that makes no sense), and whether the cell is to ring when there
  // are.
  bool anything() const;
  void ask_for_bell(bool ring);
  // What is wrong with the peer's ring or frames; nullptr while nothing is.
  const char* corruption() const { return corruption_; }

 private:
  bool greet();
  void transmit(const FrameHeader& header, seal::Bytes payload);
  bool may_send(std::uint64_t cost);
  void release_messages();
  void flush_queue();
  void write_frame(const FrameHeader& header, seal::Bytes payload);
  bool read_exact(std::uint8_t* to, std::size_t count);
  bool start_frame();
  bool collect_body();
  bool finish_frame(FrameSink& sink, bool& stop);
  std::size_t waiting();
  void put(const std::uint8_t* from, std::size_t count);
  void wake_reader();
  void wake_writer();
  void ring_cell();

  HostSegment segment_;
  RingWriter writer_;
  RingReader reader_;
  std::uint32_t max_frame_;
  std::optional<seal::Form> form_;
  std::optional<seal::Initiator> greeting_;  // until the cell has answered
  std::optional<seal::Sealer> sealer_;
  std::optional<seal::Opener> opener_;
  std::deque<std::vector<std::uint8_t>> unsealed_;  // frames, header first
  std::size_t unsealed_bytes_ = 0;
  std::deque<std::vector<std::uint8_t>> held_;  // messages, header first
  std::size_t held_bytes_ = 0;
  std::uint64_t messages_sent_ = 0;  // by message_cost(), those that are held not among them
  const char* corruption_ = nullptr;

  std::deque<std::vector<std::uint8_t>> queue_;
  std::size_t queue_offset_ = 0;  // into the first chunk
  std::size_t queued_ = 0;
  bool untold_ = false;  // written since the cell was last woken

  bool in_frame_ = false;
  FrameHeader frame_{};
  std::vector<std::uint8_t> body_;  // of a frame that arrives in pieces
};

}  // namespace pyisolate
