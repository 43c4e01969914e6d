// narrow.glsl: included before all else where NARROW may be defined: what the
// device must then have.
#if defined(NARROW)
#extension GL_EXT_shader_16bit_storage : require
#if defined(Q6_K)
#extension GL_EXT_shader_8bit_storage : require
#endif
#endif
