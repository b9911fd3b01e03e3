"""The ops that are declared free, each by name.

Free is a decision about the unit, not about time: the papers' GFLOPs are multiply-accumulates of
convolutions, linear layers, attention and recurrent cells. Whoever adds a name here must have read
its kernel: an op that multiplies matrices inside belongs into the counted ops. A trailing
underscore (in place) and the overloads of a name (`out=`, scalars) are the same op.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FREE_OPS"]

FREE_OPS: Mapping[str, str] = {
    "views": """
        view view_as view_copy reshape reshape_as _reshape_alias _reshape_copy _unsafe_view expand
        expand_as permute transpose t swapaxes swapdims movedim moveaxis squeeze unsqueeze select
        slice narrow unbind split split_with_sizes unsafe_split unsafe_split_with_sizes chunk
        unsafe_chunk tensor_split flatten unflatten ravel alias detach as_strided diagonal unfold
        view_as_real view_as_complex real imag conj _conj _neg_view resolve_conj resolve_neg
        set resize resize_as atleast_1d atleast_2d atleast_3d broadcast_to numpy_T matrix_H mH mT
    """,
    "copies": """
        clone copy _to_copy to _autocast_to_reduced_precision _autocast_to_full_precision type_as
        contiguous lift lift_fresh lift_fresh_copy cat concat concatenate stack hstack vstack dstack
        pad constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
        replication_pad2d replication_pad3d _pad_circular im2col col2im repeat tile
        repeat_interleave roll flip fliplr flipud rot90 tril triu meshgrid pixel_shuffle
        pixel_unshuffle channel_shuffle native_channel_shuffle to_dense _to_dense to_mkldnn
        _mkldnn_reshape _mkldnn_transpose
        mkldnn_reorder_conv2d_weight mkldnn_reorder_conv3d_weight pin_memory _pin_memory
        is_pinned diag diag_embed block_diag
        _pack_padded_sequence _pad_packed_sequence to_padded_tensor _nested_tensor_from_mask
        _nested_tensor_from_mask_left_aligned _nested_tensor_from_tensor_list _nested_from_padded
        _nested_view_from_buffer _nested_tensor_size _nested_tensor_strides
    """,
    "creation": """
        empty empty_like empty_strided empty_permuted zeros zeros_like ones ones_like full full_like
        new_empty new_empty_strided new_zeros new_ones new_full arange range linspace logspace eye
        scalar_tensor tril_indices triu_indices fill zero hann_window hamming_window
        _efficientzerotensor complex polar from_file
    """,
    "random numbers": """
        rand rand_like randn randn_like randint randint_like randperm random bernoulli multinomial
        normal uniform exponential geometric log_normal cauchy poisson dropout native_dropout
        alpha_dropout feature_dropout feature_alpha_dropout
    """,
    "indexing and sorting": """
        index index_select index_put _index_put_impl _unsafe_index _unsafe_index_put index_add
        index_copy index_fill index_reduce gather scatter scatter_add scatter_reduce select_scatter
        slice_scatter diagonal_scatter masked_fill masked_select masked_scatter take
        take_along_dim put where nonzero nonzero_static argwhere embedding embedding_renorm
        embedding_bag _embedding_bag _embedding_bag_forward_only one_hot topk sort argsort kthvalue
        msort searchsorted bucketize unique_consecutive unique_dim _unique _unique2 bincount histc
        isin
    """,
    "element-wise arithmetic": """
        add sub subtract rsub mul multiply div divide true_divide floor_divide remainder fmod neg
        negative positive abs absolute sign signbit sgn copysign square sqrt rsqrt pow float_power
        exp exp2 expm1 log log2 log10 log1p reciprocal sin cos tan asin acos atan atan2 arctan2
        sinh cosh tanh asinh acosh atanh sinc erf erfc erfinv digamma lgamma special_expm1
        special_erf special_logit floor ceil round trunc fix frac clamp clamp_min clamp_max clip
        maximum minimum fmax fmin hypot lerp addcmul addcdiv xlogy special_xlogy logaddexp
        logaddexp2 linalg_cross nan_to_num angle deg2rad rad2deg heaviside ldexp frexp
        fake_quantize_per_tensor_affine fake_quantize_per_tensor_affine_cachemask
        fake_quantize_per_channel_affine fake_quantize_per_channel_affine_cachemask
    """,
    "activations": """
        relu relu6 leaky_relu rrelu rrelu_with_noise prelu _prelu_kernel elu selu celu gelu silu
        mish hardtanh hardswish hardsigmoid softplus softshrink hardshrink threshold
        sigmoid logit log_sigmoid log_sigmoid_forward glu softmax _softmax _safe_softmax
        log_softmax _log_softmax _masked_softmax special_softmax special_log_softmax
        _thnn_fused_lstm_cell _thnn_fused_gru_cell
    """,
    "comparison and logic": """
        eq ne lt le gt ge equal not_equal less less_equal greater greater_equal isnan isinf isfinite
        isposinf isneginf isreal isclose allclose logical_and logical_or logical_not logical_xor
        bitwise_and bitwise_or bitwise_not bitwise_xor bitwise_left_shift bitwise_right_shift
        __and__ __or__ __xor__ __lshift__ __rshift__ is_nonzero item _local_scalar_dense
        _assert_async _assert_tensor_metadata _is_all_true _is_any_true is_same_size
        _fused_sdp_choice
    """,
    "reductions": """
        sum mean prod max min amax amin aminmax argmax argmin any all var std var_mean std_mean
        median nanmedian mode quantile nanquantile nansum nanmean count_nonzero norm
        linalg_vector_norm frobenius_norm dist pairwise_distance cosine_similarity logsumexp cumsum
        cumprod cummax cummin _cummax_helper _cummin_helper logcumsumexp diff trapezoid
    """,
    "norms": """
        batch_norm _batch_norm_impl_index native_batch_norm _native_batch_norm_legit
        _native_batch_norm_legit_no_training _native_batch_norm_legit_functional
        _batch_norm_with_update _batch_norm_no_update cudnn_batch_norm miopen_batch_norm
        batch_norm_stats batch_norm_elemt batch_norm_update_stats layer_norm native_layer_norm
        group_norm native_group_norm instance_norm rms_norm _fused_rms_norm renorm _weight_norm
        _weight_norm_interface
    """,
    "pooling": """
        max_pool1d max_pool2d max_pool3d max_pool1d_with_indices max_pool2d_with_indices
        max_pool3d_with_indices mkldnn_max_pool2d mkldnn_max_pool3d quantized_max_pool2d avg_pool1d
        avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        _adaptive_avg_pool2d _adaptive_avg_pool3d mkldnn_adaptive_avg_pool2d adaptive_max_pool1d
        adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d
        max_unpool2d max_unpool3d
    """,
    "resizing": """
        upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
        _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d
        upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa _upsample_bicubic2d_aa
        _upsample_lanczos2d_aa grid_sampler grid_sampler_2d grid_sampler_3d cudnn_grid_sampler
        torchvision::roi_align torchvision::roi_pool torchvision::nms
    """,
    "losses": """
        binary_cross_entropy binary_cross_entropy_with_logits cross_entropy_loss nll_loss nll_loss2d
        nll_loss_nd nll_loss_forward nll_loss2d_forward mse_loss l1_loss smooth_l1_loss huber_loss
        kl_div soft_margin_loss margin_ranking_loss
        hinge_embedding_loss cosine_embedding_loss
    """,
    "bookkeeping": """
        profiler::_record_function_enter profiler::_record_function_enter_new
        profiler::_record_function_exit prim::device prim::layout
    """,
}
