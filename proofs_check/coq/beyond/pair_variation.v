(* B6: the mean variation of the gradient of a two-layer ReLU network over all ordered pairs of the data, in closed
   form: PL1(f) = sum_i |w2_i| ||w1_i|| 2 q_i (1 - q_i), q_i the share of the data on unit i's active side. *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums vectors segments.
Import ListNotations.
Open Scope R_scope.

(* f(x) = sum_i w2_i [<w1_i, x> + b1_i]_+ + b2, any number of inputs; b2 is of no matter here. *)
Record unit := Unit { w1 : vector; b1 : R; w2 : R }.

Section Network.
  Variable d : nat. (* number of inputs *)

  Definition pre_activation (u : unit) (x : vector) : R := dot d (w1 u) x + b1 u.

  (* The derivative of the ReLU, postulated to be 1 at 0 (volhejn2020, after eq 3.7). *)
  Definition active (u : unit) (x : vector) : R := if Rle_dec 0 (pre_activation u x) then 1 else 0.
  Definition gradient (net : list unit) (x : vector) : vector :=
    fun i => sum (fun u => w2 u * active u x * w1 u i) net.

  (* TV_[a,b](grad f), by its definition as a supremum. *)
  Definition gradient_gap (net : list unit) (a b : vector) (t s : R) : R :=
    norm d (fun i => gradient net (along a b s) i - gradient net (along a b t) i).
  Definition gradient_variation (net : list unit) (a b : vector) (v : R) : Prop :=
    is_variation (gradient_gap net a b) v.

  Definition size (u : unit) : R := Rabs (w2 u) * norm d (w1 u).
  Definition weights_product (net : list unit) : R := sum size net.
  Definition separates (u : unit) (a b : vector) : R := Rabs (active u b - active u a).

  (* Where a unit that is active at one end only switches. *)
  Definition place (u : unit) (a b : vector) : R :=
    pre_activation u a / (pre_activation u a - pre_activation u b).
  Definition apart (a b : vector) (u u' : unit) : Prop :=
    active u a <> active u b -> active u' a <> active u' b -> w2 u <> 0 -> w2 u' <> 0 -> place u a b <> place u' a b.

  (* No two units switch at one point of the segment. *)
  Definition one_at_a_time (net : list unit) (a b : vector) : Prop := ForallOrdPairs (apart a b) net.

  Lemma active_cases u x : active u x = 0 \/ active u x = 1.
  Proof. unfold active; destruct (Rle_dec 0 (pre_activation u x)); auto. Qed.

  Lemma pre_activation_along u a b t :
    pre_activation u (along a b t) = (1 - t) * pre_activation u a + t * pre_activation u b.
  Proof.
    unfold pre_activation, along, dot.
    rewrite (sum_eq _ (fun i => (1 - t) * (w1 u i * a i) + t * (w1 u i * b i))) by (intros; ring).
    rewrite sum_plus, !sum_scal. ring.
  Qed.

  (* A unit's active side is a half-space: along a segment it switches on, or off, once. *)
  Lemma active_along_monotone u a b :
    (forall t s, 0 <= t <= s -> s <= 1 -> active u (along a b t) <= active u (along a b s))
    \/ (forall t s, 0 <= t <= s -> s <= 1 -> active u (along a b s) <= active u (along a b t)).
  Proof.
    destruct (Rle_dec (pre_activation u a) (pre_activation u b)); [left|right]; intros t s T S;
      unfold active; rewrite !pre_activation_along; repeat destruct Rle_dec; try lra; nra.
  Qed.

  Lemma active_at_ends u a b : active u (along a b 0) = active u a /\ active u (along a b 1) = active u b.
  Proof.
    unfold active; rewrite !pre_activation_along.
    replace ((1 - 0) * pre_activation u a + 0 * pre_activation u b) with (pre_activation u a) by ring.
    replace ((1 - 1) * pre_activation u a + 1 * pre_activation u b) with (pre_activation u b) by ring. auto.
  Qed.

  Definition change (u : unit) (a b : vector) (t s : R) : R := active u (along a b s) - active u (along a b t).

  Lemma gradient_gap_as_jumps net a b t s : gradient_gap net a b t s
    = norm d (fun i => sum (fun u => w2 u * change u a b t s * w1 u i) net).
  Proof.
    unfold gradient_gap, gradient, change. apply norm_eq; intros i _.
    rewrite <- sum_minus. apply sum_eq; intros; ring.
  Qed.

  Lemma norm_of_jump u a b t s :
    norm d (fun i => w2 u * change u a b t s * w1 u i) = size u * Rabs (change u a b t s).
  Proof. rewrite norm_scal, Rabs_mult. unfold size; ring. Qed.

  Lemma size_nonneg u : 0 <= size u.
  Proof. apply Rmult_le_pos; [apply Rabs_pos|apply norm_nonneg]. Qed.

  (* No partition sees more than one jump of each unit that separates the ends. *)
  Lemma variation_sum_at_most net a b ts : is_partition ts ->
    variation_sum (gradient_gap net a b) ts <= sum (fun u => size u * separates u a b) net.
  Proof.
    intros P. unfold variation_sum.
    apply Rle_trans with
      (sum (fun s => sum (fun u => size u * Rabs (change u a b (fst s) (snd s))) net) (steps ts)).
    - apply sum_le; intros s _. rewrite gradient_gap_as_jumps. eapply Rle_trans; [apply norm_sum|].
      apply Req_le, sum_eq; intros; apply norm_of_jump.
    - rewrite sum_swap. apply sum_le; intros u _. rewrite sum_scal.
      apply Rmult_le_compat_l; [apply size_nonneg|]. unfold separates.
      destruct (active_at_ends u a b) as [<- <-].
      apply (variation_of_monotone (fun t => active u (along a b t)) ts P (active_along_monotone u a b)).
  Qed.

  (* A unit that switches in a step separates the ends, and its place is in the step. *)
  Lemma switch_in_step u a b t s : 0 <= t <= s -> s <= 1 -> change u a b t s <> 0 ->
    active u a <> active u b /\ t <= place u a b <= s.
  Proof.
    intros T S; unfold change, active, place. rewrite !pre_activation_along.
    set (A := pre_activation u a); set (B := pre_activation u b). intros C.
    destruct (Rle_dec 0 ((1 - s) * A + s * B)) as [L|L], (Rle_dec 0 ((1 - t) * A + t * B)) as [K|K]; try lra.
    - (* switches on *)
      assert (D : 0 < B - A) by (apply Rnot_le_lt; intros D; nra).
      assert (HA : A < 0) by nra. assert (HB : 0 <= B) by nra.
      destruct (Rle_dec 0 A), (Rle_dec 0 B); try lra. split; [lra|].
      assert (Ep : A / (A - B) * (B - A) = - A) by (field; lra). set (p := A / (A - B)) in *. clearbody p.
      split; apply Rmult_le_reg_r with (B - A); lra.
    - (* switches off *)
      assert (D : 0 < A - B) by (apply Rnot_le_lt; intros D; nra).
      assert (HA : 0 <= A) by nra. assert (HB : B < 0) by nra.
      destruct (Rle_dec 0 A), (Rle_dec 0 B); try lra. split; [lra|].
      assert (Ep : A / (A - B) * (A - B) = A) by (field; lra). set (p := A / (A - B)) in *. clearbody p.
      split; apply Rmult_le_reg_r with (A - B); lra.
  Qed.

  (* Finitely many different places keep a distance. *)
  Lemma keep_a_distance net a b : one_at_a_time net a b ->
    exists delta, 0 < delta /\ ForallOrdPairs (fun u u' =>
      active u a <> active u b -> active u' a <> active u' b -> w2 u <> 0 -> w2 u' <> 0 ->
      delta <= Rabs (place u a b - place u' a b)) net.
  Proof.
    induction 1 as [|u net F _ [delta [D IH]]]; [exists 1; split; [lra|constructor]|].
    assert (H : exists e, 0 < e /\ Forall (fun u' =>
      active u a <> active u b -> active u' a <> active u' b -> w2 u <> 0 -> w2 u' <> 0 ->
      e <= Rabs (place u a b - place u' a b)) net).
    { clear IH. induction F as [|u' net P _ [e [He IH]]]; [exists 1; split; [lra|constructor]|].
      destruct (Req_dec (place u a b) (place u' a b)) as [Q|Q].
      - exists e; split; auto. constructor; auto. intros A A' W W'. destruct (P A A' W W' Q).
      - assert (0 < Rabs (place u a b - place u' a b)) by (apply Rabs_pos_lt; lra).
        exists (Rmin e (Rabs (place u a b - place u' a b))); split; [apply Rmin_pos; auto|].
        constructor; [intros; apply Rmin_r|].
        eapply Forall_impl; [|exact IH]. intros w Hw A A' W W'. eapply Rle_trans; [apply Rmin_l|auto]. }
    destruct H as [e [He Fe]]. exists (Rmin delta e); split; [apply Rmin_pos; auto|]. constructor.
    - eapply Forall_impl; [|exact Fe]. intros w Hw A A' W W'. eapply Rle_trans; [apply Rmin_r|auto].
    - clear - IH. induction IH as [|u' net F _ IH]; constructor; auto.
      eapply Forall_impl; [|exact F]. intros w Hw A A' W W'. eapply Rle_trans; [apply Rmin_l|auto].
  Qed.

  (* An even partition that is fine enough sees all jumps, one at a time. *)
  Lemma variation_sum_attained net a b : one_at_a_time net a b -> exists ts, is_partition ts /\
    sum (fun u => size u * separates u a b) net <= variation_sum (gradient_gap net a b) ts.
  Proof.
    intros H. destruct (keep_a_distance net a b H) as [delta [D far]].
    destruct (archimed_cor1 delta D) as [N [small N0]].
    exists (even_partition N); split; [apply even_partition_is_partition; auto|]. unfold variation_sum.
    apply Rle_trans with
      (sum (fun s => sum (fun u => size u * Rabs (change u a b (fst s) (snd s))) net) (steps (even_partition N))).
    - rewrite sum_swap. apply sum_le; intros u _. rewrite sum_scal.
      apply Rmult_le_compat_l; [apply size_nonneg|]. unfold separates.
      destruct (active_at_ends u a b) as [<- <-].
      apply (even_variation (fun t => active u (along a b t)) N N0).
    - apply Req_le, sum_eq; intros s Hs. rewrite gradient_gap_as_jumps.
      destruct (steps_of_partition _ s (even_partition_is_partition N N0) Hs) as [S1 [S2 S3]].
      assert (S4 := even_steps N s N0 Hs). rewrite norm_sum_alone.
      + apply sum_eq; intros; rewrite norm_of_jump; auto.
      + clear - far S1 S2 S3 S4 small. induction far as [|u net F _ IH]; constructor; auto.
        eapply Forall_impl; [|exact F]. intros u' far. rewrite !norm_of_jump.
        assert (still : forall w, change w a b (fst s) (snd s) = 0 \/ w2 w = 0 ->
          size w * Rabs (change w a b (fst s) (snd s)) = 0).
        { intros w [Z|Z]; [rewrite Z, Rabs_R0; ring|unfold size; rewrite Z, Rabs_R0; ring]. }
        destruct (Req_dec (change u a b (fst s) (snd s)) 0); [left; apply still; auto|].
        destruct (Req_dec (change u' a b (fst s) (snd s)) 0); [right; apply still; auto|].
        destruct (Req_dec (w2 u) 0); [left; apply still; auto|].
        destruct (Req_dec (w2 u') 0); [right; apply still; auto|]. exfalso.
        destruct (switch_in_step u a b (fst s) (snd s)) as [A L]; auto.
        destruct (switch_in_step u' a b (fst s) (snd s)) as [A' L']; auto.
        specialize (far A A' H1 H2). unfold Rabs in far; destruct (Rcase_abs _); lra.
  Qed.

  (* The variation of the gradient along one segment. *)
  Theorem variation_along_segment net a b : one_at_a_time net a b ->
    gradient_variation net a b (sum (fun u => size u * separates u a b) net).
  Proof.
    intros H. apply is_variation_intro; [|apply variation_sum_attained; auto].
    intros; apply variation_sum_at_most; auto.
  Qed.

  (* It exists with no assumption, and is never larger. *)
  Lemma gradient_variation_exists net a b : exists v, gradient_variation net a b v.
  Proof. eapply variation_exists; intros ts P; apply variation_sum_at_most; exact P. Qed.

  Lemma gradient_variation_at_most net a b v : gradient_variation net a b v ->
    v <= sum (fun u => size u * separates u a b) net.
  Proof. intros [_ L]; apply L. intros s [ts [P ->]]; apply variation_sum_at_most; auto. Qed.

  (** * The mean over all ordered pairs of the data *)

  (* q_i, the share of the data on unit i's active side, its hyperplane included. *)
  Definition active_share (u : unit) (data : list vector) : R := mean (active u) data.

  (* Of the n^2 ordered pairs a unit with m points on its active side separates 2 m (n - m). *)
  Lemma separated_pairs u data : data <> [] ->
    mean_over_pairs (separates u) data = 2 * active_share u data * (1 - active_share u data).
  Proof.
    intros N. unfold active_share. set (q := mean (active u) data).
    transitivity (mean_over_pairs (fun a b => active u a + (1 - 2 * active u a) * active u b) data).
    - apply mean_over_pairs_eq; intros a b _ _. unfold separates.
      destruct (active_cases u a) as [-> | ->], (active_cases u b) as [-> | ->]; unfold Rabs; destruct Rcase_abs; lra.
    - unfold mean_over_pairs.
      rewrite (mean_eq _ (fun a => q + (1 - 2 * q) * active u a)).
      + rewrite mean_plus, mean_const, mean_scal by auto. fold q. ring.
      + intros a _. rewrite mean_plus, mean_const, mean_scal by auto. fold q. ring.
  Qed.

  (* PL1, by volhejn2020, eq 3.7: V gives the variation along each segment. *)
  Definition gives_variations (V : vector -> vector -> R) (net : list unit) (data : list vector) : Prop :=
    forall a b, In a data -> In b data -> gradient_variation net a b (V a b).
  Definition gradient_path_length (V : vector -> vector -> R) (data : list vector) : R := mean_over_pairs V data.

  Definition closed_form (net : list unit) (data : list vector) : R :=
    sum (fun u => Rabs (w2 u) * norm d (w1 u) * (2 * active_share u data * (1 - active_share u data))) net.

  Lemma closed_form_is_mean net data : data <> [] ->
    mean_over_pairs (fun a b => sum (fun u => size u * separates u a b) net) data = closed_form net data.
  Proof.
    intros N. rewrite (mean_over_pairs_sum (fun u a b => size u * separates u a b)).
    apply sum_eq; intros u _. rewrite mean_over_pairs_scal, separated_pairs; auto.
  Qed.

  (* B6: PL1(f) = sum_i |w2_i| ||w1_i|| 2 q_i (1 - q_i). *)
  Theorem gradient_path_length_in_closed_form net data V : data <> [] -> gives_variations V net data ->
    (forall a b, In a data -> In b data -> one_at_a_time net a b) ->
    gradient_path_length V data = closed_form net data.
  Proof.
    intros N HV H. rewrite <- closed_form_is_mean by auto. apply mean_over_pairs_eq; intros a b Ha Hb.
    apply (variation_unique (gradient_gap net a b)); [apply HV; auto|apply variation_along_segment; auto].
  Qed.

  (* B6.a: <=, where units switch together. *)
  Theorem gradient_path_length_at_most net data V : data <> [] -> gives_variations V net data ->
    gradient_path_length V data <= closed_form net data.
  Proof.
    intros N HV. rewrite <- closed_form_is_mean by auto. apply mean_over_pairs_le; intros a b Ha Hb.
    apply gradient_variation_at_most, HV; auto.
  Qed.

  (* B6.b: PL1(f) <= WP(f) / 2. *)
  Theorem gradient_path_length_at_most_half net data V : data <> [] -> gives_variations V net data ->
    gradient_path_length V data <= weights_product net / 2.
  Proof.
    intros N HV. eapply Rle_trans; [apply gradient_path_length_at_most; eauto|].
    unfold closed_form, weights_product, Rdiv. rewrite <- sum_scal_r. apply sum_le; intros u _.
    fold (size u). assert (S := size_nonneg u). set (q := active_share u data).
    assert (0 <= (1 - 2 * q) * (1 - 2 * q)) by (apply Rle_0_sqr). nra.
  Qed.
End Network.

(* The assumption is needed: jumps of units that switch together can cancel. [x]_+ - [x]_+ on x = -1, 1. *)
Definition cancelling : list unit := [Unit (fun _ => 1) 0 1; Unit (fun _ => 1) 0 (-1)].

Lemma jumps_may_cancel :
  let data := [fun _ => -1; fun _ => 1] : list vector in
  (forall a b, gradient_variation 1 cancelling a b 0) /\ closed_form 1 cancelling data = 1.
Proof.
  intros data; split.
  - intros a b; apply is_variation_intro.
    + intros ts _; unfold variation_sum. apply Req_le, sum_zero; intros s _. unfold gradient_gap.
      transitivity (norm 1 (fun _ => 0)); [|apply norm_zero]. apply norm_eq; intros i _. unfold gradient; simpl.
      unfold active, pre_activation; simpl. ring.
    + exists []; split; [split; constructor|unfold variation_sum; simpl; lra].
  - unfold closed_form, active_share, mean, active, pre_activation, norm, dot; simpl.
    repeat (destruct Rle_dec; try lra).
    replace (1 * 1 + 0) with 1 by ring. rewrite sqrt_1, Rabs_R1, (Rabs_left (-1)) by lra. field.
Qed.
