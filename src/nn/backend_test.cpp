// Every op of every backend, in the networks that use it: against the reference, and the reference against finite
// differences.
#include "nn/backend.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/index.hpp"
#include "nn/one_row.hpp"
#include "nn/onednn.hpp"

namespace rival {
namespace {

struct Shape {
  std::string name;
  Spec spec;
  NetworkOptions options;
};

std::vector<Shape> shapes() {
  Spec vector{
      .name = "vector", .observation = {ObservationPart::vector("v", 5)}, .action = {ActionPart::discrete("a", 3)}};
  Spec grid{
      .name = "grid", .observation = {ObservationPart::grid("g", 2, 6, 7)}, .action = {ActionPart::discrete("a", 7)}};
  Spec mixed{
      .name = "mixed",
      .observation = {ObservationPart::vector("v", 3), ObservationPart::grid("g", 2, 11, 9),
                      ObservationPart::vector("w", 2)},
      .action = {ActionPart::discrete("a", 3), ActionPart::continuous("c", 2, -1, 1), ActionPart::discrete("b", 4)}};
  Spec units{.name = "units",
             .observation = {ObservationPart::entities("e", 5, 3), ObservationPart::vector("v", 4),
                             ObservationPart::entities("f", 3, 6), ObservationPart::grid("g", 2, 11, 9)},
             .action = {ActionPart::discrete("a", 3), ActionPart::target("at", 2, 3), ActionPart::target("on", 0, 5),
                        ActionPart::discrete("b", 2), ActionPart::continuous("c", 1, -1, 1),
                        ActionPart::target("again", 2, 3)}};
  Spec only{.name = "only",
            .observation = {ObservationPart::entities("e", 7, 4)},
            .action = {ActionPart::discrete("a", 3), ActionPart::target("at", 0, 7)}};
  return {
      {"entities_alone", units, {.hidden = {24, 16}, .entity = 8, .entity_inner = 0, .grid = "flat"}},
      {"nothing_but_entities", only, {.hidden = {16}, .entity = 8, .entity_inner = 11}},
      {"entities", units, {.hidden = {24, 16}, .entity = 8, .grid = "flat"}},
      {"entities_and_all", units, {.hidden = {16}, .memory = 16, .entity = 19, .grid = "convolution"}},
      {"dense", vector, {.hidden = {16, 24}}},
      {"flat_grid", grid, {.hidden = {128, 64}}},
      {"convolution", mixed, {.hidden = {32}, .grid = "convolution"}},
      {"memory", vector, {.hidden = {16, 16}, .memory = 16}},
      {"everything", mixed, {.hidden = {20, 16}, .memory = 16, .grid = "convolution"}},
  };
}

// A network, its parameters, one batch of rows and a linear loss over its head columns.
struct Problem {
  explicit Problem(const Shape& shape, int row_count = 40)
      : net(Network::make(shape.spec, shape.options).value()), rows(row_count) {
    Random random(Key(7));
    parameters = net.initial_parameters(Key(1));
    for (float& p : parameters) p += random.uniform(-0.1f, 0.1f);
    const auto sized = [&](int columns) { return index(rows) * columns; };
    observations.resize(sized(net.observation_size()));
    for (float& x : observations) x = random.uniform(-1, 1);
    scale.mean.assign(net.observation_size(), 0.1f);
    scale.scale.assign(net.observation_size(), 0.9f);
    for (const Operation& op : net.operations()) {
      if (op.kind != OperationKind::entities) continue;
      const Buffer& entities = net.buffers()[op.out];
      for (int i = 0; i < entities.places; ++i) {
        const std::size_t first = op.in_column + i * entities.columns;
        const std::size_t features = entities.columns;
        std::fill_n(scale.mean.begin() + first, features, 0.0f);
        std::fill_n(scale.scale.begin() + first, features, 1.0f);
        for (int r = 0; r < rows; ++r) {
          float* x = observations.data() + index(r * net.observation_size()) + first;
          x[0] = 1;
          if (r % 3 == 0 || random.below(3) == 0) std::fill_n(x, features, 0.0f);
        }
      }
    }
    head_gradients.resize(sized(net.head_size()));
    for (float& x : head_gradients) x = random.uniform(-1, 1);
    states.resize(4 * std::max(1, net.memory_size()));
    for (float& x : states) x = random.uniform(-1, 1);
    for (int r = 0; r < rows; ++r) {  // four players in turn; one match ends in between
      previous.push_back(r < 4 || r == 21 ? -1 : r - 4);
      initial.push_back(r < 4 ? r : -1);
    }
  }

  struct Answer {
    std::vector<float> heads, states, gradients;
  };
  Answer run(const Backend& backend) const {
    auto weights = backend.make_weights();
    for (int part = 0; part < 3; ++part) backend.pack(parameters, *weights, part, 3);
    auto executor = backend.make_executor(rows);
    std::vector<std::byte> inputs(rows * backend.input_stride());
    executor->encode(scale, observations.data(), rows, inputs.data());
    const MemoryRows memory{previous.data(), initial.data(), states.data()};
    const float* heads = executor->forward(*weights, inputs.data(), rows, memory);
    Answer answer;
    answer.heads.assign(heads, heads + head_gradients.size());
    if (const int m = net.memory_size()) answer.states.assign(executor->states(), executor->states() + rows * m);
    answer.gradients.assign(net.parameter_count(), 0.5f);  // backward adds
    executor->backward(*weights, head_gradients.data(), answer.gradients.data());
    for (float& g : answer.gradients) g -= 0.5f;
    return answer;
  }

  Network net;
  int rows;
  std::vector<float> parameters, observations, head_gradients, states;
  ObservationScale scale;
  std::vector<int> previous, initial;
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0, size = 1e-12;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i] - b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(difference / size);
}

class EveryShape : public testing::TestWithParam<std::size_t> {
 protected:
  const Shape shape = shapes()[GetParam()];
};

TEST_P(EveryShape, ReferenceGradientsMatchFiniteDifferences) {
  Problem problem(shape, 12);
  const auto backend = make_backend("reference", problem.net, Precision::f32).value().release();
  const std::unique_ptr<Backend> owner(backend);
  const Problem::Answer answer = problem.run(*backend);
  const auto loss = [&] {
    double sum = 0;
    const Problem::Answer a = problem.run(*backend);
    for (std::size_t i = 0; i < a.heads.size(); ++i) sum += static_cast<double>(a.heads[i] * problem.head_gradients[i]);
    return sum;
  };
  // Along random directions: every parameter takes part in each.
  for (const ParameterView& view : problem.net.parameters()) {
    if (view.name == "action.log_std") continue;
    Random random(Key(3));
    std::vector<float> direction(view.size());
    for (float& d : direction) d = random.uniform(-1, 1);
    const std::vector<float> before = problem.parameters;
    const float step = 2e-4f;
    double expected = 0;
    for (std::size_t i = 0; i < direction.size(); ++i)
      expected += static_cast<double>(direction[i] * answer.gradients[view.offset + i]);
    for (std::size_t i = 0; i < direction.size(); ++i)
      problem.parameters[view.offset + i] = before[view.offset + i] + step * direction[i];
    const double above = loss();
    for (std::size_t i = 0; i < direction.size(); ++i)
      problem.parameters[view.offset + i] = before[view.offset + i] - step * direction[i];
    const double below = loss();
    problem.parameters = before;
    EXPECT_NEAR((above - below) / (2 * static_cast<double>(step)), expected, 0.03 * std::abs(expected) + 0.03)
        << shape.name << " " << view.name;
  }
}

TEST_P(EveryShape, OnednnMatchesReference) {
  for (int rows : {1, 40, 300}) {
    const Problem problem(shape, rows);
    const auto reference = make_backend("reference", problem.net, Precision::f32);
    const Problem::Answer expected = problem.run(*reference.value());
    // In bf16 a few activations fall on the other side of a ReLU's zero, and pooling finds another entity to be the
    // largest, which the random head gradients make visible: the more, the fewer rows there are to outweigh them.
    struct Tolerance {
      Precision precision;
      double heads, gradients;
    };
    for (const Tolerance t :
         {Tolerance{Precision::f32, 1e-5, 1e-5}, Tolerance{Precision::bf16, 0.02, rows < 300 ? 0.4 : 0.15}}) {
      if (t.precision == Precision::bf16 && best_precision() != Precision::bf16) continue;
      const auto backend = make_backend("onednn", problem.net, t.precision);
      const Problem::Answer answer = problem.run(*backend.value());
      EXPECT_LT(distance(answer.heads, expected.heads), t.heads)
          << shape.name << " " << to_string(t.precision) << " " << rows;
      EXPECT_LT(distance(answer.states, expected.states), t.heads) << shape.name << " " << to_string(t.precision);
      for (const ParameterView& view : problem.net.parameters()) {
        const auto part = [&](const std::vector<float>& v) {
          return std::vector<float>(v.begin() + static_cast<std::ptrdiff_t>(view.offset),
                                    v.begin() + static_cast<std::ptrdiff_t>(view.offset + view.size()));
        };
        EXPECT_LT(distance(part(answer.gradients), part(expected.gradients)), t.gradients)
            << shape.name << " " << view.name << " " << to_string(t.precision) << " " << rows;
      }
    }
  }
  EXPECT_EQ(onednn_products_by_loops(), 0);
}

TEST_P(EveryShape, OneRowMatchesReference) {
  const Problem problem(shape, 8);
  if (!OneRow::takes(problem.net)) return;
  const std::size_t m = problem.net.memory_size();
  const Problem::Answer expected = problem.run(*make_backend("reference", problem.net, Precision::f32).value());
  Problem::Answer answer;
  OneRow one(problem.net);
  std::vector<float> states = problem.states;  // of four players in turn
  for (int r = 0; r < problem.rows; ++r) {
    float* state = m ? states.data() + index(r % 4) * m : nullptr;
    const float* heads = one.forward(problem.parameters, problem.scale,
                                     problem.observations.data() + r * problem.net.observation_size(), state);
    answer.heads.insert(answer.heads.end(), heads, heads + problem.net.head_size());
    answer.states.insert(answer.states.end(), state, state + m);
  }
  EXPECT_LT(distance(answer.heads, expected.heads), 1e-5) << shape.name;
  EXPECT_LT(distance(answer.states, expected.states), 1e-5) << shape.name;
}

INSTANTIATE_TEST_SUITE_P(Network, EveryShape, testing::Range<std::size_t>(0, shapes().size()),
                         [](const auto& shape) { return shapes()[shape.param].name; });

TEST(Network, RefusesPartsWhoseParametersWouldHaveOneName) {
  const auto made = [](const std::string& second) {
    return Network::make(
        {.name = "two",
         .observation = {ObservationPart::entities("a", 3, 2), ObservationPart::entities(second, 3, 2)},
         .action = {ActionPart::discrete("x", 2)}},
        {});
  };
  EXPECT_TRUE(made("a.2").ok());
  const auto clash = made("a.1");
  ASSERT_FALSE(clash.ok());
  EXPECT_NE(clash.error().message.find("both want parameters named 'encoder.a.1.weight'"), std::string::npos)
      << clash.error().message;
}

TEST(Network, RefusesOptionsThatMakeNoSense) {
  const Spec spec = shapes()[2].spec;
  EXPECT_FALSE(Network::make(spec, {.hidden = {16}, .entity = 0}).ok());
  EXPECT_FALSE(Network::make(spec, {.hidden = {0}}).ok());
  EXPECT_FALSE(Network::make(spec, {.hidden = {16}, .memory = 8}).ok());
}

TEST(Backend, UnknownNameIsAnError) {
  const Network net = Network::make(shapes()[2].spec, {}).value();
}

}  // namespace
}  // namespace rival
