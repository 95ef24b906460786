// The optional members of a game, each with the form it must have. A member of that name with another form does not
// compile, and the message shows the right one: taken for absent, the rules it holds would be left out in silence.
// (Public data members may have any name.)
#pragma once

#include <array>
#include <type_traits>

#include "rival/game.hpp"

namespace rival {

struct OptionalMember {
  const char* name;
  bool found;  // in the game
};

namespace members {

// names_NAME<G>: G has a member of this name that is no public data, whatever its form and access: it makes the name
// ambiguous in a class that inherits both G and another that has it. In a final class nothing can be found out.
template <class G, class Fallback>
struct Both : G, Fallback {};

#define RIVAL_MEMBER(NAME)                                        \
  struct NAME##_fallback {                                        \
    int NAME;                                                     \
  };                                                              \
  template <class G>                                              \
  concept names_##NAME = !std::is_final_v<G> && !requires {       \
    &Both<G, NAME##_fallback>::NAME;                              \
  }                                                               \
  &&!requires {                                                   \
    requires std::is_member_object_pointer_v<decltype(&G::NAME)>; \
  };
RIVAL_MEMBER(legal)
RIVAL_MEMBER(result)
RIVAL_MEMBER(playing)
RIVAL_MEMBER(text)
RIVAL_MEMBER(action_text)
RIVAL_MEMBER(resample_hidden)
RIVAL_MEMBER(stage)
RIVAL_MEMBER(scene)
RIVAL_MEMBER(starts)
RIVAL_MEMBER(outcomes)
#undef RIVAL_MEMBER

// One of the two forms of text() may be right while the other lacks its const.
template <class G>
concept TextsAreConst = (HasText<G> || !requires(G & g) { g.text(); }) &&
                        (HasSeatText<G> || !requires(G & g, int seat) { g.text(seat); });

}  // namespace members

// Refuses a game with an optional member of another form; otherwise the members, in the order of game.hpp.
template <Game G>
constexpr std::array<OptionalMember, 11> optional_members() {
  using namespace members;
  static_assert(HasLegal<G> || !names_legal<G>,
                "legal() has another form than this: public, 'void legal(int seat, rival::Mask mask) const'");
  static_assert(HasResult<G> || !names_result<G>,
                "result() has another form than this: public, 'float result(int team) const'");
  static_assert(HasPlaying<G> || !names_playing<G>,
                "playing() has another form than this: public, 'rival::SeatSet playing() const'");
  static_assert(((HasText<G> || HasSeatText<G>)&&TextsAreConst<G>) || !names_text<G>,
                "text() has another form than these: public, 'std::string text() const', and for what one seat sees "
                "'std::string text(int seat) const'");
  static_assert(HasActionText<G> || !names_action_text<G>,
                "action_text() has another form than this: public, 'std::string action_text(int seat, int choice) "
                "const'");
  static_assert(HasResampleHidden<G> || !names_resample_hidden<G>,
                "resample_hidden() has another form than this: public, 'void resample_hidden(int seat, rival::Key "
                "key)'");
  static_assert(HasScene<G> || !(names_stage<G> || names_scene<G>),
                "stage() and scene() have another form than these, or one is missing: public, 'std::string stage() "
                "const' and 'std::string scene() const'");
  static_assert(HasStarts<G> || !names_starts<G>,
                "starts() has another form than this: public, 'static std::vector<rival::Chance<Game>> starts(const "
                "rival::Settings& settings)'");
  static_assert(HasOutcomes<G> || !names_outcomes<G>,
                "outcomes() has another form than this: public, 'std::vector<rival::Chance<Game>> outcomes(const "
                "rival::Actions& actions) const'");
  return {{{"legal", HasLegal<G>},
           {"result", HasResult<G>},
           {"playing", HasPlaying<G>},
           {"text", HasText<G>},
           {"text(seat)", HasSeatText<G>},
           {"action_text", HasActionText<G>},
           {"resample_hidden", HasResampleHidden<G>},
           {"stage", HasScene<G>},
           {"scene", HasScene<G>},
           {"starts", HasStarts<G>},
           {"outcomes", HasOutcomes<G>}}};
}

}  // namespace rival
