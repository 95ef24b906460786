#include "serve/hosted.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/names.hpp"
#include "base/number.hpp"

namespace rival::serve {
namespace {

constexpr std::size_t kMostRated = 256;  // bots by rating that are read because clients ask for them

std::string called(const std::string& typed) {
  const std::filesystem::path path(typed);
  return path.extension() == ".safetensors" ? path.stem().string() : path.filename().string();
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

Result<std::shared_ptr<const Hosted>> Directory::read(const std::string& typed, const std::string& name) const {
  Result<Hosted> hosted = load_(typed);
  if (!hosted) return hosted.error();
  hosted->name = name;
  return std::make_shared<const Hosted>(std::move(hosted.value()));
}

Result<void> Directory::add(std::string typed, std::string name) {
  while (typed.size() > 1 && typed.ends_with('/')) typed.pop_back();
  if (name.empty()) name = called(typed);
  const auto found = read(typed, name);
  if (!found) return found.error();
  const std::scoped_lock lock(mutex_);
  if (!entries_.try_emplace(name, Entry{typed, found.value()}).second)
    return usage_error(
        {fmt::format("two bots would be called '{}': give one another name, as in other={}", name, typed)});
  return {};
}

Result<void> Directory::reload() {
  std::map<std::string, Entry> entries;
  {
    const std::scoped_lock lock(mutex_);
    entries = entries_;
  }
  Result<void> result;
  {
    const std::scoped_lock lock(mutex_);
    substitutes_.clear();
  }
  for (const auto& [name, entry] : entries) {
    const auto found = read(entry.typed, name);
    if (!found) {
      if (result) result = found.error();
      continue;
    }
    if (found.value()->version == entry.present->version && found.value()->temperature == entry.present->temperature)
      continue;
    const std::scoped_lock lock(mutex_);
    entries_[name].present = found.value();
  }
  return result;
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
  return entries_.try_emplace(name, Entry{typed, found.value()}).first->second.present;
}

Result<std::shared_ptr<const Substitutes>> Directory::substitutes(const std::string& name) {
  if (const auto found = find(name); !found) return found.error();
  std::string typed;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = substitutes_.find(name); known != substitutes_.end()) return known->second;
    typed = entries_.at(name).typed;
  }
  if (!load_substitutes_) return Error{fmt::format("'{}': this server has no substitutes", name)};
  Result<Substitutes> read = load_substitutes_(typed);
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
