"""One decision of a connect four bot: play.py LIBRARY BOT, after cc -O2 -shared -fPIC rival_runtime.c -o LIBRARY -lm."""
import ctypes as c
import sys

runtime = c.CDLL(sys.argv[1])
for name in ("rival_bot_memory", "rival_actor_memory"):
    getattr(runtime, name).restype = c.c_size_t
for name in ("rival_bot_load", "rival_actor_make"):
    getattr(runtime, name).restype = c.c_void_p
runtime.rival_actor_win_chance.restype = c.c_float
runtime.rival_key.restype = c.c_uint64

file = open(sys.argv[2], "rb").read()
size = runtime.rival_bot_memory(c.c_size_t(len(file)))
memory, error = c.create_string_buffer(size), c.create_string_buffer(256)
bot = c.c_void_p(runtime.rival_bot_load(file, c.c_size_t(len(file)), memory, c.c_size_t(size), error))
if not bot:
    sys.exit(error.value.decode())

size = runtime.rival_actor_memory(bot, None)
actor_memory = c.create_string_buffer(size)
actor = c.c_void_p(runtime.rival_actor_make(bot, None, actor_memory, c.c_size_t(size)))
observation = (c.c_float * runtime.rival_bot_observation_size(bot))()
mask = (c.c_uint8 * runtime.rival_bot_mask_size(bot))(*[1] * runtime.rival_bot_mask_size(bot))
choice = c.c_int32()
runtime.rival_actor_observe(actor, 0, observation)
runtime.rival_actor_act(actor, mask, c.c_uint64(runtime.rival_key(c.c_uint64(2024))), c.byref(choice), None)
print(f"column {choice.value}, chance to win {runtime.rival_actor_win_chance(actor):.2f}")
