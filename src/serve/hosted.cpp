#include "serve/hosted.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/names.hpp"
#include "base/number.hpp"

namespace rival::serve {
namespace {

constexpr std::size_t kMostRated = 256;  // bots by rating that are read because clients ask for them

Error name_is_taken(const std::string& name, const std::string& typed) {
  return usage_error(
      {fmt::format("two bots would be called '{}': give one another name, as in other={}", name, typed)});
}

}  // namespace

Hosted host(std::string name, const Spec& spec, std::shared_ptr<const SharedBot> bot, std::uint64_t fingerprint,
            float temperature, int reaction_steps) {
  const HeadLayout heads(spec);
  Hosted hosted{.name = std::move(name),
                .version = fmt::format("{:016x}", fingerprint),
                .temperature = temperature,
                .reaction_steps = reaction_steps,
                .sizes = {.observation = static_cast<int>(bot->bot().network.observation_size()),
                          .mask = heads.mask_size,
                          .choices = heads.choice_count(),
                          .values = heads.value_count,
                          .parts = heads.discrete}};
  for (const ActionPart& part : spec.action)
    if (part.is_choice()) hosted.sizes.names.push_back(part.name);
  hosted.bot = std::move(bot);
  return hosted;
}

Result<void> offer_bot(Offer& offer, std::string typed, std::string name) {
  while (typed.size() > 1 && typed.ends_with('/')) typed.pop_back();
  const std::filesystem::path path(typed);
  if (name.empty())
    name = path.extension() == ".safetensors" || path.extension() == ".pt" || path.extension() == ".mar"
               ? path.stem().string()
               : path.filename().string();
  if (!offer.try_emplace(name, typed).second) return name_is_taken(name, typed);
  return {};
}

Result<std::shared_ptr<const Hosted>> Directory::read(const std::string& typed, const std::string& name) const {
  const std::scoped_lock lock(loading_);
  Result<Hosted> hosted = load_(typed);
  if (!hosted) return hosted.error();
  hosted->name = name;
  return std::make_shared<const Hosted>(std::move(hosted.value()));
}

Directory::Entries Directory::entries() const {
  const std::scoped_lock lock(mutex_);
  return entries_;
}

Result<void> Directory::add(const std::string& typed, const std::string& name) {
  Offer one;
  if (Result<void> offered = offer_bot(one, typed, name); !offered) return offered;
  const auto& [key, place] = *one.begin();
  const auto found = read(place, key);
  if (!found) return found.error();
  const std::scoped_lock lock(mutex_);
  if (!entries_.try_emplace(key, Entry{place, found.value()}).second) return name_is_taken(key, place);
  return {};
}

Result<void> Directory::serve(const Offer& offer) {
  const Entries before = entries();
  Entries after;
  for (const auto& [name, typed] : offer) {
    const auto found = read(typed, name);
    if (!found) return found.error();
    after[name] = {typed, found.value()};
  }
  // By rating, of runs that are still served; others are read when asked for.
  for (const auto& [name, entry] : before) {
    const auto run = after.find(name.substr(0, name.rfind('@')));
    if (!entry.asked || run == after.end() || !entry.typed.starts_with(run->second.typed + "@")) continue;
    if (const auto found = read(entry.typed, name)) after.try_emplace(name, Entry{entry.typed, found.value(), true});
  }
  // Who plays an unchanged version shares its decisions with those that come.
  for (auto& [name, entry] : after) {
    const auto old = before.find(name);
    if (old != before.end() && old->second.present->version == entry.present->version &&
        old->second.present->temperature == entry.present->temperature &&
        old->second.present->reaction_steps == entry.present->reaction_steps)
      entry.present = old->second.present;
  }
  const std::scoped_lock lock(mutex_);
  entries_ = std::move(after);
  substitutes_.clear();
  return {};
}

Result<void> Directory::reload() {
  Offer offer;
  for (const auto& [name, entry] : entries())
    if (!entry.asked) offer[name] = entry.typed;
  return serve(offer);
}

Result<std::shared_ptr<const Hosted>> Directory::find(const std::string& name) {
  std::string typed;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto entry = entries_.find(name); entry != entries_.end()) return entry->second.present;
    // Of what clients say nothing but a number gets into the name of a file.
    const std::size_t at = name.rfind('@');
    const auto run = at == std::string::npos || !read_real(std::string_view(name).substr(at + 1))
                         ? entries_.end()
                         : entries_.find(name.substr(0, at));
    if (run == entries_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, entry] : entries_) names.push_back(known);
      return unknown_name("bot", name, names);
    }
    if (entries_.size() > kMostRated)
      return Error{fmt::format("'{}': {} bots are served already, the most that are read on demand", name, kMostRated)};
    typed = run->second.typed + name.substr(at);
  }
  const auto found = read(typed, name);
  if (!found) return found.error();
  const std::scoped_lock lock(mutex_);
  const auto run = entries_.find(name.substr(0, name.rfind('@')));
  if (run == entries_.end() || !typed.starts_with(run->second.typed + "@")) return found;  // it has changed meanwhile
  return entries_.try_emplace(name, Entry{typed, found.value(), true}).first->second.present;
}

Result<std::shared_ptr<const Substitutes>> Directory::substitutes(const std::string& name) {
  if (const auto found = find(name); !found) return found.error();
  std::string typed;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = substitutes_.find(name); known != substitutes_.end()) return known->second;
    if (const auto entry = entries_.find(name); entry != entries_.end()) typed = entry->second.typed;
  }
  if (!load_substitutes_) return Error{fmt::format("'{}': this server has no substitutes", name)};
  Result<Substitutes> read = [&] {
    const std::scoped_lock lock(loading_);
    return load_substitutes_(typed);
  }();
  if (!read) return read.error();
  for (std::size_t level = 0; level < read->levels.size(); ++level) {
    auto named = std::make_shared<Hosted>(*read->levels[level]);
    named->name = fmt::format("{}@{:.0f}", name, read->scale->levels[level].rating);
    read->levels[level] = std::move(named);
  }
  const std::scoped_lock lock(mutex_);
  return substitutes_[name] = std::make_shared<const Substitutes>(std::move(read.value()));
}

std::vector<std::shared_ptr<const Hosted>> Directory::all() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<const Hosted>> bots;
  for (const auto& [name, entry] : entries_) bots.push_back(entry.present);
  return bots;
}

}  // namespace rival::serve
