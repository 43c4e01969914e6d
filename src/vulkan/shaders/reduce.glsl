// reduce.glsl: sums and maxima over the threads of a work group, in a fixed
// tree, with nothing but shared memory. Every thread gets the result.

shared float reduce_part[GROUP];

float group_sum(float x)
{
    uint t = gl_LocalInvocationID.x;
    reduce_part[t] = x;
    barrier();
    for (uint n = GROUP / 2u; n > 0u; n >>= 1) {
        if (t < n)
            reduce_part[t] += reduce_part[t + n];
        barrier();
    }
    float sum = reduce_part[0];
    barrier();
    return sum;
}

float group_max(float x)
{
    uint t = gl_LocalInvocationID.x;
    reduce_part[t] = x;
    barrier();
    for (uint n = GROUP / 2u; n > 0u; n >>= 1) {
        if (t < n)
            reduce_part[t] = max(reduce_part[t], reduce_part[t + n]);
        barrier();
    }
    float most = reduce_part[0];
    barrier();
    return most;
}
