// What the kernels need from the compiler. Nothing else.
#pragma once

#if defined(_MSC_VER) && !defined(__clang__)
#define PACKED_LSTM_INLINE static __forceinline
#define PACKED_LSTM_NOINLINE static __declspec(noinline)
#define PACKED_LSTM_PRAGMA(text)
#define PACKED_LSTM_PREFETCH(address) static_cast<void>(address)
#else
#define PACKED_LSTM_INLINE static inline __attribute__((always_inline))
#define PACKED_LSTM_NOINLINE static __attribute__((noinline))
#define PACKED_LSTM_PRAGMA(text) _Pragma(text)
#define PACKED_LSTM_PREFETCH(address) __builtin_prefetch(address)
#endif

// The scalar set's loops stay loops: unrolled, its kernels would be the largest part of the binary, for the same speed.
#ifdef PACKED_LSTM_KEEP_LOOPS
#define PACKED_LSTM_UNROLL
#else
#define PACKED_LSTM_UNROLL PACKED_LSTM_PRAGMA("GCC unroll 32")
#endif

/** What a macro stands for, as a string. */
#define PACKED_LSTM_TEXT_OF(name) #name
#define PACKED_LSTM_TEXT(name) PACKED_LSTM_TEXT_OF(name)

// How the loop over k is unrolled: not, unless an instruction set says otherwise.
#ifdef PACKED_LSTM_UNROLL_K_BY_4
#define PACKED_LSTM_UNROLL_K PACKED_LSTM_PRAGMA("GCC unroll 4")
#else
#define PACKED_LSTM_UNROLL_K
#endif
