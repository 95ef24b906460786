// One HTTP request to a server of a test.
#pragma once

#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rival::serve {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

inline boost::beast::http::response<boost::beast::http::string_body> http_ask(int port, boost::beast::http::verb verb,
                                                                              const std::string& path,
                                                                              const std::string& body = "",
                                                                              const HttpFields& fields = {}) {
  namespace http = boost::beast::http;
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  http::request<http::string_body> request(verb, path, 11, body);
  request.set(http::field::host, "127.0.0.1");
  for (const auto& [name, value] : fields) request.set(name, value);
  request.prepare_payload();
  boost::beast::error_code refused;  // a server that does not want all of it answers before
  http::write(socket, request, refused);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response);
  return response;
}

// Until it holds, for some seconds at most.
template <class Condition>
bool soon(const Condition& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return condition();
}

}  // namespace rival::serve
