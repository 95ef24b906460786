// How coroutines of Boost.Asio wait here: what goes wrong is a code, not an exception.
#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core/error.hpp>

namespace rival::serve {

// co_await something.async_read(..., into(code))
inline auto into(boost::beast::error_code& code) {
  return boost::asio::redirect_error(boost::asio::use_awaitable, code);
}

}  // namespace rival::serve
