// Linked into the addon when it is built with sanitizers: what touches JavaScript's objects must come from a thread
// that runs JavaScript. Node itself checks that in debug builds alone, and takes harm quietly in others. The linker
// puts these functions in front of Node's (--wrap, in CMakeLists.txt).
#include <node_api.h>

#include <cstdio>
#include <cstdlib>

namespace {

// What the addon asks for first where it is loaded; nothing that merely lets go of an object asks for it.
thread_local bool runs_javascript = false;

void check(const char* call) {
  if (runs_javascript) return;
  std::fprintf(stderr, "SUMMARY: %s on a thread that runs no JavaScript\n", call);
  std::abort();
}

}  // namespace

#define CHECKED(name, parameters, arguments)        \
  extern "C" napi_status __real_##name parameters;  \
  extern "C" napi_status __wrap_##name parameters { \
    check(#name);                                   \
    return __real_##name arguments;                 \
  }

CHECKED(napi_create_reference, (napi_env env, napi_value value, uint32_t count, napi_ref* result),
        (env, value, count, result))
CHECKED(napi_delete_reference, (node_api_basic_env env, napi_ref ref), (env, ref))
CHECKED(napi_reference_ref, (napi_env env, napi_ref ref, uint32_t* result), (env, ref, result))
CHECKED(napi_reference_unref, (napi_env env, napi_ref ref, uint32_t* result), (env, ref, result))
CHECKED(napi_get_reference_value, (napi_env env, napi_ref ref, napi_value* result), (env, ref, result))
CHECKED(napi_open_handle_scope, (napi_env env, napi_handle_scope* result), (env, result))
CHECKED(napi_close_handle_scope, (napi_env env, napi_handle_scope scope), (env, scope))
CHECKED(napi_call_function,
        (napi_env env, napi_value self, napi_value function, size_t count, const napi_value* values,
         napi_value* result),
        (env, self, function, count, values, result))

extern "C" napi_status __real_napi_get_global(napi_env env, napi_value* result);
extern "C" napi_status __wrap_napi_get_global(napi_env env, napi_value* result) {
  runs_javascript = true;
  return __real_napi_get_global(env, result);
}
