// Records of players over HTTP, under /v1/records/ (docs/formats/serve.md).
#pragma once

#include <cstddef>
#include <memory>

#include "records/records.hpp"
#include "serve/endpoint.hpp"

namespace rival::serve {

struct RecordsOptions {
  std::size_t most_waiting = 1000;       // requests; more are told to come again
  std::size_t largest_body = 256 << 10;  // bytes
};

// A thread of its own works off the requests, since it waits for the disk; results that wait together are taken in one
// commit, and nobody is answered before that. Thread-safe. At its end it answers what it was asked.
std::shared_ptr<Endpoint> records_endpoint(records::Records records, const RecordsOptions& options = {});

}  // namespace rival::serve
