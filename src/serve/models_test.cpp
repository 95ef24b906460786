#include "serve/models.hpp"

#include <gtest/gtest.h>

#include <future>

#include "serve/sample_http.hpp"
#include "serve/sample_model.hpp"

namespace rival::serve {
namespace {

using Kind = ModelAnswer::Kind;

std::future<ModelAnswer> ask(ServedModel& model, Result<std::vector<TensorData>> inputs) {
  const auto promise = std::make_shared<std::promise<ModelAnswer>>();
  model.ask({.read = [inputs] { return inputs; },
             .answer = [promise](ModelAnswer answer) { promise->set_value(std::move(answer)); }});
  return promise->get_future();
}

std::future<ModelAnswer> ask(ServedModel& model, const std::vector<float>& row) {
  return ask(model, std::vector<TensorData>{floats({1, static_cast<std::int64_t>(row.size())}, row)});
}

class ServedModels : public testing::Test {
 protected:
  std::shared_ptr<ServedModel> serve(ModelSettings settings) {
    EXPECT_TRUE(models_.add({.name = "m", .url = "m.pt"}, sample_, settings));
    return models_.find("m");
  }

  std::shared_ptr<SampleModel> sample_ = std::make_shared<SampleModel>();
  Models models_;
};

TEST_F(ServedModels, WhatWaitsIsComputedTogetherAndComesBackToWhomItIsFor) {
  const auto model = serve({.batch_size = 4, .batch_delay = std::chrono::milliseconds(20)});
  sample_->held = true;
  auto first = ask(*model, {0});
  ASSERT_TRUE(soon([&] { return sample_->running == 1; }));
  std::vector<std::future<ModelAnswer>> others;
  for (float i = 1; i < 6; ++i) others.push_back(ask(*model, {i}));
  EXPECT_EQ(model->waiting(), 5);
  sample_->held = false;
  EXPECT_EQ(floats_of(first.get().outputs[0]), std::vector<float>{0});
  for (float i = 1; i < 6; ++i) {
    const ModelAnswer answer = others[static_cast<std::size_t>(i) - 1].get();
    ASSERT_EQ(answer.kind, Kind::done);
    EXPECT_EQ(answer.outputs[0].shape, (std::vector<std::int64_t>{1, 1}));
    EXPECT_EQ(floats_of(answer.outputs[0]), std::vector<float>{2 * i});
  }
  EXPECT_EQ(sample_->rows(), (std::vector<std::int64_t>{1, 4, 1}));
  EXPECT_EQ(model->counts().requests, 6);
  EXPECT_GE(model->counts().queue_us, 0);
}

TEST_F(ServedModels, ABatchDoesNotWaitForLongerThanItMay) {
  const auto model = serve({.batch_size = 100, .batch_delay = std::chrono::milliseconds(1)});
  EXPECT_EQ(ask(*model, {1}).get().kind, Kind::done);
}

TEST_F(ServedModels, OneRequestDoesNotSpoilTheOthers) {
  const auto model = serve({.batch_size = 8, .batch_delay = std::chrono::seconds(5)});
  std::vector<std::future<ModelAnswer>> asked;
  for (const float x : {1.f, 2.f, -1.f, 3.f}) asked.push_back(ask(*model, {x}));
  asked.push_back(ask(*model, {1, 2}));  // of another shape
  asked.push_back(ask(*model, Error{"no tensor"}));
  asked.push_back(ask(*model, std::vector<TensorData>{floats({}, {4})}));  // without rows
  asked.push_back(ask(*model, std::vector<TensorData>{}));
  const std::vector<Kind> wanted = {Kind::done, Kind::done,   Kind::failed, Kind::done,
                                    Kind::done, Kind::unread, Kind::done,   Kind::failed};
  std::vector<ModelAnswer> answers;
  for (auto& each : asked) answers.push_back(each.get());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(answers[i].kind, wanted[i]) << i;
  EXPECT_EQ(answers[2].amiss, "a negative number");
  EXPECT_EQ(answers[5].amiss, "no tensor");
  EXPECT_EQ(floats_of(answers[4].outputs[0]), (std::vector<float>{2, 4}));
}

TEST_F(ServedModels, TooManyThatWaitAreRefused) {
  const auto model = serve({.queue = 2});
  sample_->held = true;
  auto first = ask(*model, {0});
  ASSERT_TRUE(soon([&] { return sample_->running == 1; }));
  auto second = ask(*model, {1}), third = ask(*model, {2});
  const ModelAnswer refused = ask(*model, {3}).get();
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_NE(refused.amiss.find("2 requests waiting"), std::string::npos) << refused.amiss;
  sample_->held = false;
  for (auto* each : {&first, &second, &third}) EXPECT_EQ(each->get().kind, Kind::done);
}

TEST_F(ServedModels, SoAreTooManyBytesAndWhatNobodyIsLeftFor) {
  const auto model = serve({.queue_bytes = 10});
  sample_->held = true;
  auto first = ask(*model, {0});
  ASSERT_TRUE(soon([&] { return sample_->running == 1; }));
  const auto ask_bytes = [&](std::size_t bytes) {
    const auto promise = std::make_shared<std::promise<ModelAnswer>>();
    model->ask({.read = [] { return Error{"not read"}; },
                .answer = [promise](const ModelAnswer& answer) { promise->set_value(answer); },
                .bytes = bytes});
    return promise->get_future();
  };
  auto fits = ask_bytes(8);
  EXPECT_EQ(ask_bytes(3).get().kind, Kind::refused);
  model->scale(0);
  EXPECT_EQ(fits.get().kind, Kind::refused);
  sample_->held = false;
  EXPECT_EQ(first.get().kind, Kind::done);
  model->scale(1);
  EXPECT_EQ(ask_bytes(9).get().kind, Kind::unread);
}

TEST_F(ServedModels, ATimeoutCountsComputingAndNotWaiting) {
  const auto model = serve({.timeout = std::chrono::seconds(1)});
  sample_->held = true;
  auto first = ask(*model, {0});
  ASSERT_TRUE(soon([&] { return sample_->running == 1; }));
  auto second = ask(*model, {1});
  const ModelAnswer late = first.get();
  EXPECT_EQ(late.kind, Kind::late);
  EXPECT_NE(late.amiss.find("1 seconds"), std::string::npos) << late.amiss;
  sample_->held = false;
  EXPECT_EQ(second.get().kind, Kind::done);
}

TEST_F(ServedModels, WorkersComeAndGo) {
  const auto model = serve({.workers = 0});
  EXPECT_EQ(ask(*model, {1}).get().kind, Kind::refused);
  model->scale(2);
  EXPECT_EQ(model->workers().size(), 2u);
  sample_->held = true;
  auto first = ask(*model, {1}), second = ask(*model, {2});
  ASSERT_TRUE(soon([&] { return sample_->running == 2; })) << "both compute at a time";
  model->scale(1);
  EXPECT_EQ(model->workers().size(), 1u);
  sample_->held = false;
  EXPECT_EQ(first.get().kind, Kind::done);
  EXPECT_EQ(second.get().kind, Kind::done);
  for (float i = 0; i < 20; ++i) EXPECT_EQ(ask(*model, {i}).get().kind, Kind::done);
  model->scale(3);
  EXPECT_EQ(model->workers().size(), 3u);
  for (float i = 0; i < 20; ++i) EXPECT_EQ(ask(*model, {i}).get().kind, Kind::done);
}

TEST_F(ServedModels, WhatIsRemovedAnswersWhatItComputesAndRefusesTheRest) {
  const auto model = serve({});
  sample_->held = true;
  auto first = ask(*model, {0});
  ASSERT_TRUE(soon([&] { return sample_->running == 1; }));
  auto second = ask(*model, {1});
  std::thread removes([&] { EXPECT_EQ(models_.remove("m", ""), Models::Change::done); });
  EXPECT_EQ(second.get().kind, Kind::refused);
  sample_->held = false;
  removes.join();
  EXPECT_EQ(first.get().kind, Kind::done);
  EXPECT_EQ(ask(*model, {2}).get().kind, Kind::refused);
  EXPECT_FALSE(models_.has("m"));
}

TEST_F(ServedModels, TheFirstVersionIsMeantUntilAnotherIs) {
  serve({});
  ASSERT_TRUE(models_.add({.name = "m", .version = "2.0"}, sample_, {}));
  const Result<void> again = models_.add({.name = "m", .version = "2.0"}, sample_, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "Model version 2.0 is already registered for model m");
  EXPECT_EQ(models_.find("m")->info().version, "1.0");
  EXPECT_EQ(models_.find("m", "2.0")->info().version, "2.0");
  EXPECT_EQ(models_.find("m", "3.0"), nullptr);
  EXPECT_EQ(models_.remove("m", ""), Models::Change::is_default);
  EXPECT_EQ(models_.make_default("m", "3.0"), Models::Change::no_version);
  EXPECT_EQ(models_.make_default("n", "3.0"), Models::Change::no_model);
  EXPECT_EQ(models_.make_default("m", "2.0"), Models::Change::done);
  EXPECT_EQ(models_.versions("m")[0]->info().version, "2.0");
  EXPECT_EQ(models_.remove("m", "1.0"), Models::Change::done);
  EXPECT_EQ(models_.remove("m", "1.0"), Models::Change::no_version);
  EXPECT_EQ(models_.all().size(), 1u);
}

}  // namespace
}  // namespace rival::serve
