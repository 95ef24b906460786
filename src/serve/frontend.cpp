#include "serve/frontend.hpp"

#include "base/plugin.hpp"

namespace rival::serve {

Result<ListenFrontend> grpc_frontend(const GrpcOptions& options) {
  const Result<void*> found = find_in_plugin(
      "grpc", "rival_grpc_listen", "gRPC takes Debian's libgrpc++-dev and protobuf-compiler-grpc when Rival is built");
  if (!found) return found.error();
  return ListenFrontend(
      [options, listen = reinterpret_cast<GrpcListen*>(found.value())](Ask ask) -> Result<std::unique_ptr<Frontend>> {
        std::string error;
        std::unique_ptr<Frontend> frontend(listen(options, std::move(ask), error));
        if (!frontend) return Error{error};
        return frontend;
      });
}

}  // namespace rival::serve
