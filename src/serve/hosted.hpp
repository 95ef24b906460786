// The bots that a server has, by name, and which version of each is the present one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/inference.hpp"
#include "base/result.hpp"
#include "player/rating_scale.hpp"
#include "serve/tick.hpp"

namespace rival::serve {

// One version of a bot. Never changes; whoever plays with it holds it, and it goes when the last one has.
struct Hosted {
  std::string name;     // by which clients ask for it
  std::string version;  // of the file's bytes
  std::shared_ptr<const SharedBot> bot;
  float temperature = 0;
  int reaction_steps = 0;  // a decision is made from what was seen so many ticks ago
  RowSizes sizes;
};

// `fingerprint`: of the file's bytes.
Hosted host(std::string name, const Spec& spec, std::shared_ptr<const SharedBot> bot, std::uint64_t fingerprint,
            float temperature, int reaction_steps);

// What plays on for people: a run's scale, and its levels as bots.
struct Substitutes {
  std::shared_ptr<const RatingScale> scale;
  std::vector<std::shared_ptr<const Hosted>> levels;  // of the scale
};

// Reads the bot of a name as people type it: a file, a run, or RUN@RATING. Asked by one thread at a time.
using LoadHosted = std::function<Result<Hosted>(const std::string& typed)>;

// The same for the scale of a run; Substitutes::levels have no names yet.
using LoadSubstitutes = std::function<Result<Substitutes>(const std::string& typed)>;

// Bots to be served, as people type them, by the names by which clients ask for them.
using Offer = std::map<std::string, std::string>;

// Adds one; `name` "": as its run or file is called. Error: the name is taken.
Result<void> offer_bot(Offer& offer, std::string typed, std::string name = "");

// Thread-safe.
class Directory {
 public:
  explicit Directory(LoadHosted load, LoadSubstitutes load_substitutes = nullptr)
      : load_(std::move(load)), load_substitutes_(std::move(load_substitutes)) {}

  // Reads a bot and serves it, called as by offer_bot(). Error: as of `load`, or the name is taken.
  Result<void> add(const std::string& typed, const std::string& name = "");
  // Serves these and no others, in their present versions: all are read before anything changes, and an error, as of
  // `load`, changes nothing. Who plays already stays with its version, also of a bot that is served no more.
  Result<void> serve(const Offer& offer);
  // Reads what is served again: as serve().
  Result<void> reload();

  // The present version. NAME@RATING, of a run that is served as NAME, is read when it is first asked for. Error: there
  // is none of this name, or it has no such rating.
  Result<std::shared_ptr<const Hosted>> find(const std::string& name);
  std::vector<std::shared_ptr<const Hosted>> all() const;
  // Of a run that is served as `name`; read when it is first asked for. Error: as of find(), or of the run's ladder.
  Result<std::shared_ptr<const Substitutes>> substitutes(const std::string& name);

 private:
  struct Entry {
    std::string typed;
    std::shared_ptr<const Hosted> present;
    bool asked = false;  // a client asked for the rating
  };
  using Entries = std::map<std::string, Entry>;
  Result<std::shared_ptr<const Hosted>> read(const std::string& typed, const std::string& name) const;

  Entries entries() const;

  LoadHosted load_;
  LoadSubstitutes load_substitutes_;
  mutable std::mutex loading_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::map<std::string, std::shared_ptr<const Substitutes>> substitutes_;
};

}  // namespace rival::serve
