#include "cli/cli.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <system_error>

#include "base/json.hpp"
#include "base/machine.hpp"
#include "base/names.hpp"
#include "base/program.hpp"
#include "cli/command.hpp"
#include "cli/live_view.hpp"
#include "nn/isa.hpp"

namespace rival::cli {
namespace {

constexpr const char* kVersion = RIVAL_VERSION;

// The one table of commands.
std::vector<Command> commands() {
  return {games_command(),  check_command(),   train_command(), eval_command(),   eval_substitute_command(),
          ladder_command(), balance_command(), play_command(),  watch_command(),  bench_command(),
          export_command(), shrink_command(),  serve_command(), worker_command(), new_command()};
}

std::string overview(const std::vector<Command>& commands) {
  const bool own = program_name() != "rival" && !program_name().ends_with("/rival");
  std::string text = own ? "Trains, rates and serves players for games, with Rival.\n\n"
                         : "Rival trains, rates and serves players for games.\n\n";
  for (const Command& command : commands)
    text += fmt::format("  {} {:<8} {}\n", command_line({}), command.name, command.summary);
  return text + fmt::format("\n`{}` shows a command's options and examples.\n", command_line({"help", "COMMAND"}));
}

// The examples that hold for these games, as whole lines.
std::vector<std::string> example_lines(const Command& command, const std::vector<GameEntry>& games) {
  std::vector<std::string> lines;
  for (const Example& example : command.examples) {
    const bool here =
        std::any_of(games.begin(), games.end(), [&](const GameEntry& game) { return game.spec.name == example.game; });
    if (!here && (games.empty() ? !example.game.empty() : example.only)) continue;
    const std::string game = here || example.game.empty() ? example.game : shell_quoted(games.front().spec.name);
    lines.push_back(command_line({}) + " " + fmt::format(fmt::runtime(example.words), game));
  }
  return lines;
}

// A process that was started without some of the standard streams would give their numbers to the next files it opens,
// and then write its messages there.
void reserve_standard_streams() {
  for (int stream = 0; stream <= 2; ++stream)
    if (fcntl(stream, F_GETFD) < 0) (void)!::open("/dev/null", O_RDWR);
}

// For exceptions in threads that nobody waits for. What a run has saved survives this.
[[noreturn]] void fail_at_once() {
  const auto say = [](const std::string& what) {
    std::fprintf(stderr, "%s: %s\n", program_name().c_str(), what.c_str());
    std::_Exit(1);
  };
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    say(out_of_memory().message);
  } catch (const std::exception& error) {
    say(fmt::format("unexpected failure: {}", error.what()));
  }
  std::abort();
}

// One run of the program: its streams, and what it says when something fails.
class Session {
 public:
  explicit Session(bool json) : json_(json) {}

  Console& people() { return json_ ? err_ : out_; }
  Console& out() { return out_; }
  Console& err() { return err_; }

  int fail(const std::string& command, const std::string& message, int exit_code) {
    const std::string space = command.empty() ? "" : " ";
    err_.print("{}{}{}: {}\n", program_name(), space, command, message);
    if (exit_code == 2)
      err_.print("`{}` shows how it is used.\n",
                 command.empty() ? command_line({"help"}) : command_line({"help", command}));
    if (json_) out_.machine_line(json_text(Json{{"error", message}}));
    return exit_code;
  }

  int succeed(const Outcome& outcome) {
    if (json_) out_.machine_line(json_text(outcome.json));
    return outcome.exit_code;
  }

  // The exit code, once it is known whether what was written has arrived.
  int finish(const std::string& command, int exit_code) {
    const Result<void> written = out_.finish();
    if (written) return exit_code;
    err_.print("{}{}{}: {}\n", program_name(), command.empty() ? "" : " ", command, written.error().message);
    return std::max(exit_code, 1);
  }

 private:
  bool json_;
  Console out_{stdout}, err_{stderr};
};

int run_command(const Command& command, const std::vector<std::string>& words, const std::vector<GameEntry>& catalog) {
  Arguments arguments(command_line({command.name}), command.summary, example_lines(command, catalog));
  bool json = false;
  Games games(catalog);
  const Action action = command.declare(arguments, games);
  games.declare(arguments);
  arguments.add_flag("--json", json, "One JSON object on stdout; everything else goes to stderr");
  Session session(std::find(words.begin(), words.end(), "--json") != words.end());
  const auto run = [&]() -> int {
    const Result<bool> help = arguments.parse(words);
    if (!help) return session.fail(command.name, help.error().message, 2);
    if (help.value()) {
      session.out().write(arguments.help());
      session.out().verbatim(arguments.examples());
      return 0;
    }
    try {
      const Result<Outcome> outcome = action(session.people());
      if (!outcome)
        return session.fail(command.name, outcome.error().message, outcome.error().kind == Error::Kind::usage ? 2 : 1);
      return session.succeed(outcome.value());
    } catch (const WrongUsage& wrong) {
      return session.fail(command.name, wrong.error.message, 2);
    } catch (const std::bad_alloc&) {
      return session.fail(command.name, out_of_memory().message, 1);
    } catch (const std::system_error& error) {
      const bool no_thread = error.code() == std::errc::resource_unavailable_try_again;  // its stack takes memory
      return session.fail(command.name, no_thread ? out_of_memory().message : error.what(), 1);
    } catch (const std::exception& error) {  // the last line of defence: a bug, but no reason to abort
      return session.fail(command.name, fmt::format("unexpected failure: {}", error.what()), 1);
    }
  };
  const int exit_code = run();
  return session.finish(command.name, exit_code);
}

}  // namespace

void wrong_usage(Error error) {
  throw WrongUsage{std::move(error)};
}

std::string games_help() {
  return fmt::format("A game: of this program (`{}` lists them), or from elsewhere (see below)",
                     command_line({"games"}));
}

int run(int argc, const char* const* argv, const std::vector<GameEntry>& games) {
  process_seconds();  // notes when the process began
  reserve_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone does not end a training
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of writing it
  std::set_terminate(fail_at_once);
  set_program_name(argc > 0 ? argv[0] : "");
  const std::vector<Command> table = commands();
  std::vector<std::string> arguments(argv + std::min(1, argc), argv + argc);
  Session session(false);
  if (Result<void> known = limit_isa(); !known) return session.fail("", known.error().message, 2);
  if (arguments.empty()) {
    session.err().write(overview(table));
    return 2;
  }
  if (arguments[0] == "--version") {
    session.out().print("rival {}\n", kVersion);
    return session.finish("", 0);
  }
  if (arguments[0] == "help" || arguments[0] == "--help" || arguments[0] == "-h") {
    if (arguments.size() == 1) {
      session.out().write(overview(table));
      return session.finish("", 0);
    }
    arguments = {arguments[1], "--help"};
  }
  std::vector<std::string> known;
  for (const Command& command : table) {
    if (command.name == arguments[0]) return run_command(command, {arguments.begin() + 1, arguments.end()}, games);
    known.push_back(command.name);
  }
  return session.fail("", unknown_name("command", arguments[0], known).message, 2);
}

}  // namespace rival::cli
