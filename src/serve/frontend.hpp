// Another protocol through which the server's endpoints are asked, on a port of its own: as a plug-in implements it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "serve/endpoint.hpp"

namespace rival::serve {

class Frontend {
 public:
  // Takes no more calls, and waits for those that there are.
  virtual ~Frontend() = default;
  virtual int port() const = 0;
  // Tells who asks that the server is about to end. Calls are still answered.
  virtual void drain() = 0;
};

// Asks the endpoint of a path as over HTTP: the token is checked, and what comes of it is counted. `reply` is called
// once, from any thread. Thread-safe.
using Ask = std::function<void(HttpRequest request, std::function<void(HttpAnswer)> reply)>;

// Listens. Errors name the address.
using ListenFrontend = std::function<Result<std::unique_ptr<Frontend>>(Ask ask)>;

// gRPC (src/grpc): the Open Inference Protocol, and TorchServe's.
struct GrpcOptions {
  std::string host = "127.0.0.1";
  int port = 0;                                         // 0: any that is free
  std::string certificate_file, key_file;               // PEM; "": without TLS. New ones are taken within a minute
  std::size_t largest_message = std::size_t{16} << 20;  // bytes
};
// Error: the plug-in is not there.
Result<ListenFrontend> grpc_frontend(const GrpcOptions& options);

// What the plug-in has as `rival_grpc_listen`. Null, and why in `error`: it cannot listen.
using GrpcListen = Frontend*(const GrpcOptions& options, Ask ask, std::string& error);

}  // namespace rival::serve
