/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of the mshv ABI, as literals.  Included after a header that
 * defines the names: ours in abi_assert.c, Linux's own in abi_upstream.c; so
 * that both are held against the same list.
 */
#define AT(type, member, off, len)						\
	static_assert(offsetof(struct type, member) == (off) &&			\
		      sizeof_field(struct type, member) == (len))
#define SIZE(type, len)		static_assert(sizeof(struct type) == (len))
#define IS(name, value)		static_assert((name) == (value))

SIZE(mshv_create_partition, 16);
AT(mshv_create_partition, pt_flags, 0, 8);
AT(mshv_create_partition, pt_isolation, 8, 8);

SIZE(mshv_create_partition_v2, 64);
AT(mshv_create_partition_v2, pt_flags, 0, 8);
AT(mshv_create_partition_v2, pt_isolation, 8, 8);
AT(mshv_create_partition_v2, pt_num_cpu_fbanks, 16, 2);
AT(mshv_create_partition_v2, pt_rsvd, 18, 6);
AT(mshv_create_partition_v2, pt_cpu_fbanks, 24, 16);
AT(mshv_create_partition_v2, pt_rsvd1, 40, 16);
AT(mshv_create_partition_v2, pt_disabled_xsave, 56, 8);

SIZE(mshv_create_vp, 4);
AT(mshv_create_vp, vp_index, 0, 4);

SIZE(mshv_user_mem_region, 32);
AT(mshv_user_mem_region, size, 0, 8);
AT(mshv_user_mem_region, guest_pfn, 8, 8);
AT(mshv_user_mem_region, userspace_addr, 16, 8);
AT(mshv_user_mem_region, flags, 24, 1);
AT(mshv_user_mem_region, rsvd, 25, 7);

SIZE(mshv_user_irqfd, 16);
AT(mshv_user_irqfd, fd, 0, 4);
AT(mshv_user_irqfd, resamplefd, 4, 4);
AT(mshv_user_irqfd, gsi, 8, 4);
AT(mshv_user_irqfd, flags, 12, 4);

SIZE(mshv_user_ioeventfd, 32);
AT(mshv_user_ioeventfd, datamatch, 0, 8);
AT(mshv_user_ioeventfd, addr, 8, 8);
AT(mshv_user_ioeventfd, len, 16, 4);
AT(mshv_user_ioeventfd, fd, 20, 4);
AT(mshv_user_ioeventfd, flags, 24, 4);
AT(mshv_user_ioeventfd, rsvd, 28, 4);

SIZE(mshv_user_irq_entry, 16);
AT(mshv_user_irq_entry, gsi, 0, 4);
AT(mshv_user_irq_entry, address_lo, 4, 4);
AT(mshv_user_irq_entry, address_hi, 8, 4);
AT(mshv_user_irq_entry, data, 12, 4);

SIZE(mshv_user_irq_table, 8);
AT(mshv_user_irq_table, nr, 0, 4);
AT(mshv_user_irq_table, rsvd, 4, 4);
static_assert(offsetof(struct mshv_user_irq_table, entries) == 8);

SIZE(mshv_gpap_access_bitmap, 32);
AT(mshv_gpap_access_bitmap, access_type, 0, 1);
AT(mshv_gpap_access_bitmap, access_op, 1, 1);
AT(mshv_gpap_access_bitmap, rsvd, 2, 6);
AT(mshv_gpap_access_bitmap, page_count, 8, 8);
AT(mshv_gpap_access_bitmap, gpap_base, 16, 8);
AT(mshv_gpap_access_bitmap, bitmap_ptr, 24, 8);

SIZE(mshv_root_hvcall, 32);
AT(mshv_root_hvcall, code, 0, 2);
AT(mshv_root_hvcall, reps, 2, 2);
AT(mshv_root_hvcall, in_sz, 4, 2);
AT(mshv_root_hvcall, out_sz, 6, 2);
AT(mshv_root_hvcall, status, 8, 2);
AT(mshv_root_hvcall, rsvd, 10, 6);
AT(mshv_root_hvcall, in_ptr, 16, 8);
AT(mshv_root_hvcall, out_ptr, 24, 8);

SIZE(mshv_run_vp, 256);
AT(mshv_run_vp, msg_buf, 0, 256);

SIZE(mshv_get_set_vp_state, 16);
AT(mshv_get_set_vp_state, type, 0, 1);
AT(mshv_get_set_vp_state, rsvd, 1, 3);
AT(mshv_get_set_vp_state, buf_sz, 4, 4);
AT(mshv_get_set_vp_state, buf_ptr, 8, 8);

IS(MSHV_CREATE_PARTITION, 0x4010b800);
IS(MSHV_ROOT_HVCALL, 0xc020b807);
IS(MSHV_INITIALIZE_PARTITION, 0x0000b800);
IS(MSHV_CREATE_VP, 0x4004b801);
IS(MSHV_SET_GUEST_MEMORY, 0x4020b802);
IS(MSHV_IRQFD, 0x4010b803);
IS(MSHV_IOEVENTFD, 0x4020b804);
IS(MSHV_SET_MSI_ROUTING, 0x4008b805);
IS(MSHV_GET_GPAP_ACCESS_BITMAP, 0xc020b806);
IS(MSHV_RUN_VP, 0x8100b800);
IS(MSHV_GET_VP_STATE, 0xc010b801);
IS(MSHV_SET_VP_STATE, 0xc010b802);

IS(MSHV_PT_BIT_LAPIC, 0);
IS(MSHV_PT_BIT_X2APIC, 1);
IS(MSHV_PT_BIT_GPA_SUPER_PAGES, 2);
IS(MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES, 3);
IS(MSHV_PT_BIT_NESTED_VIRTUALIZATION, 4);
IS(MSHV_PT_BIT_SMT_ENABLED_GUEST, 5);
IS(MSHV_PT_ISOLATION_NONE, 0);
IS(MSHV_NUM_CPU_FEATURES_BANKS, 2);
IS(MSHV_SET_MEM_BIT_WRITABLE, 0);
IS(MSHV_SET_MEM_BIT_EXECUTABLE, 1);
IS(MSHV_SET_MEM_BIT_UNMAP, 2);
IS(MSHV_IRQFD_BIT_DEASSIGN, 0);
IS(MSHV_IRQFD_BIT_RESAMPLE, 1);
IS(MSHV_IOEVENTFD_BIT_DATAMATCH, 0);
IS(MSHV_IOEVENTFD_BIT_PIO, 1);
IS(MSHV_IOEVENTFD_BIT_DEASSIGN, 2);
IS(MSHV_GPAP_ACCESS_TYPE_ACCESSED, 0);
IS(MSHV_GPAP_ACCESS_TYPE_DIRTY, 1);
IS(MSHV_GPAP_ACCESS_OP_NOOP, 0);
IS(MSHV_GPAP_ACCESS_OP_CLEAR, 1);
IS(MSHV_GPAP_ACCESS_OP_SET, 2);
IS(MSHV_VP_STATE_LAPIC, 0);
IS(MSHV_VP_STATE_XSAVE, 1);
IS(MSHV_VP_STATE_SIMP, 2);
IS(MSHV_VP_STATE_SIEFP, 3);
IS(MSHV_VP_STATE_SYNTHETIC_TIMERS, 4);
IS(MSHV_VP_MMAP_OFFSET_REGISTERS, 0);
IS(MSHV_VP_MMAP_OFFSET_INTERCEPT_MESSAGE, 1);
IS(MSHV_VP_MMAP_OFFSET_GHCB, 2);
