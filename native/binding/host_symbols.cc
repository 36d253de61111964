// Windows only: finds Node-API in whatever program hosts the addon. A DLL normally imports from a file by name, here
// NODE.EXE, and then fails in every host that is called otherwise: Electron, Bun, a renamed Node.
//
// The headers declare Node-API dllimport, so each call goes through a pointer named __imp_<function> that an import
// library would define. They are defined here instead, and filled in when the DLL is attached. Works with any compiler
// and needs no import library of Node's. A function that is missing below is an error when linking.
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#define PACKED_LSTM_HOST_FUNCTIONS(X)  \
  X(napi_add_env_cleanup_hook)         \
  X(napi_add_finalizer)                \
  X(napi_async_destroy)                \
  X(napi_call_function)                \
  X(napi_call_threadsafe_function)     \
  X(napi_close_callback_scope)         \
  X(napi_close_escapable_handle_scope) \
  X(napi_close_handle_scope)           \
  X(napi_create_array)                 \
  X(napi_create_double)                \
  X(napi_create_error)                 \
  X(napi_create_function)              \
  X(napi_create_object)                \
  X(napi_create_range_error)           \
  X(napi_create_reference)             \
  X(napi_create_string_utf8)           \
  X(napi_create_threadsafe_function)   \
  X(napi_create_type_error)            \
  X(napi_define_class)                 \
  X(napi_define_properties)            \
  X(napi_delete_reference)             \
  X(napi_detach_arraybuffer)           \
  X(napi_escape_handle)                \
  X(napi_fatal_error)                  \
  X(napi_fatal_exception)              \
  X(napi_get_and_clear_last_exception) \
  X(napi_get_array_length)             \
  X(napi_get_arraybuffer_info)         \
  X(napi_get_boolean)                  \
  X(napi_get_cb_info)                  \
  X(napi_get_element)                  \
  X(napi_get_global)                   \
  X(napi_get_instance_data)            \
  X(napi_get_last_error_info)          \
  X(napi_get_named_property)           \
  X(napi_get_new_target)               \
  X(napi_get_null)                     \
  X(napi_get_property)                 \
  X(napi_get_reference_value)          \
  X(napi_get_typedarray_info)          \
  X(napi_get_undefined)                \
  X(napi_get_value_bool)               \
  X(napi_get_value_double)             \
  X(napi_get_value_string_utf8)        \
  X(napi_has_property)                 \
  X(napi_is_array)                     \
  X(napi_is_arraybuffer)               \
  X(napi_is_exception_pending)         \
  X(napi_is_typedarray)                \
  X(napi_new_instance)                 \
  X(napi_open_escapable_handle_scope)  \
  X(napi_open_handle_scope)            \
  X(napi_ref_threadsafe_function)      \
  X(napi_release_threadsafe_function)  \
  X(napi_remove_wrap)                  \
  X(napi_set_element)                  \
  X(napi_set_instance_data)            \
  X(napi_set_named_property)           \
  X(napi_throw)                        \
  X(napi_typeof)                       \
  X(napi_unref_threadsafe_function)    \
  X(napi_unwrap)                       \
  X(napi_wrap)

#define PACKED_LSTM_DEFINE(name) extern "C" FARPROC __imp_##name = nullptr;
PACKED_LSTM_HOST_FUNCTIONS(PACKED_LSTM_DEFINE)

namespace {

/** In the program itself, or, where that is only a thin shell around Node, in its library. */
FARPROC find(const char* name) {
  const char* const libraries[] = {nullptr, "node.dll", "libnode.dll"};
  for (const char* library : libraries) {
    const HMODULE module = GetModuleHandleA(library);
    const FARPROC found = module == nullptr ? nullptr : GetProcAddress(module, name);
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

/** Refuses to load into a host that lacks a function, rather than crash at the first call of it. */
extern "C" BOOL WINAPI DllMain(HINSTANCE, DWORD reason, LPVOID) {
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
#define PACKED_LSTM_FIND(name) \
  if ((__imp_##name = find(#name)) == nullptr) return FALSE;
  PACKED_LSTM_HOST_FUNCTIONS(PACKED_LSTM_FIND)
  return TRUE;
}
